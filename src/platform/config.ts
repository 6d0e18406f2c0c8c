/**
 * The settings registry: one row a setting, and the one rule by which a value is found (product specification 2.3).
 *
 *     flag > environment (name, then aliases) > host-settings.json > default
 *
 * A flag that is wrong is an error. In the environment a number out of range is clamped, anything else that is not a
 * value is warned about and passed over, unless the row says that starting with another value would be worse.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import {
  type BindAddress,
  bindAddressKind,
  booleanKind,
  integerKind,
  type SettingKind,
  textKind,
  wordKind,
} from "./config_kinds.ts";

export interface SettingRow<T> {
  readonly env: string;
  readonly envAliases: readonly string[];
  /** The flag of `serve` that sets it, or undefined. */
  readonly flag: string | undefined;
  readonly kind: SettingKind<T>;
  readonly fallback: T;
  /** False: only flag and environment set it, the settings file cannot. */
  readonly isStored: boolean;
  /** True: a wrong value in the environment stops the host. */
  readonly isStrict: boolean;
}

function row<T>(
  env: string,
  kind: SettingKind<T>,
  rest: { readonly fallback: NoInfer<T> } & Partial<Omit<SettingRow<T>, "fallback" | "kind">>,
): SettingRow<T> {
  return { env, kind, envAliases: [], flag: undefined, isStored: false, isStrict: false, ...rest };
}

/** The HTTP port's neighbours reach from 5 below it (HTTPS) to 21 above (RTSP). */
const GAMESTREAM_PORT_MIN = 1029;
const GAMESTREAM_PORT_MAX = 65_514;

export const SETTINGS = {
  gamestream: row("PUNKTFUNK_GAMESTREAM", booleanKind(), {
    flag: "--gamestream",
    fallback: false,
    isStored: true,
  }),
  gamestream_port: row(
    "PUNKTFUNK_GAMESTREAM_PORT",
    integerKind(GAMESTREAM_PORT_MIN, GAMESTREAM_PORT_MAX),
    { flag: "--gamestream-port", fallback: 47_989, isStrict: true },
  ),
  native_port: row("PUNKTFUNK_NATIVE_PORT", integerKind(0, 65_535), {
    flag: "--native-port",
    fallback: 9777,
    isStrict: true,
  }),
  mgmt_bind: row<BindAddress>("PUNKTFUNK_MGMT_BIND", bindAddressKind(), {
    flag: "--mgmt-bind",
    fallback: { address: "0.0.0.0", port: 47_990 },
    isStrict: true,
  }),
  mdns: row("PUNKTFUNK_MDNS", booleanKind(), {
    flag: "--no-mdns",
    fallback: true,
    isStored: true,
  }),
  source: row(
    "PUNKTFUNK_SOURCE",
    wordKind(["auto", "synthetic", "wlroots"], { software: "synthetic" }),
    { flag: "--source", fallback: "auto" },
  ),
  encoder: row("PUNKTFUNK_ENCODER", wordKind(["auto", "software"]), {
    fallback: "auto",
    isStored: true,
  }),
  fec_percent: row<number | undefined>("PUNKTFUNK_FEC_PCT", integerKind(0, 90), {
    fallback: undefined,
  }),
  idle_timeout_ms: row("PUNKTFUNK_IDLE_TIMEOUT_MS", integerKind(1_000, 120_000), {
    fallback: 8_000,
    isStored: true,
  }),
  data_port: row("PUNKTFUNK_DATA_PORT", integerKind(0, 65_535), {
    flag: "--data-port",
    fallback: 0,
    isStrict: true,
  }),
  wire_mtu: row<number | undefined>("PUNKTFUNK_WIRE_MTU", integerKind(604, 9_244), {
    fallback: undefined,
  }),
  chacha20: row("PUNKTFUNK_CHACHA20", booleanKind(), { fallback: true, isStored: true }),
  delivery: row("PUNKTFUNK_DELIVERY", wordKind(["burst", "capped", "smooth"]), {
    fallback: "burst",
  }),
  video_drop: row("PUNKTFUNK_VIDEO_DROP", integerKind(0, 90), { fallback: 0 }),
  host_name: row("PUNKTFUNK_HOST_NAME", textKind(63), { fallback: "", isStored: true }),
} as const;

export type SettingId = keyof typeof SETTINGS;
type ValueOf<Id extends SettingId> = (typeof SETTINGS)[Id]["fallback"];

export interface ResolvedSetting<T> {
  readonly value: T;
  readonly source: "flag" | "env" | "store" | "default";
  /** The flag or variable it came from, else undefined. */
  readonly origin: string | undefined;
}

export type ResolvedSettings = { readonly [Id in SettingId]: ResolvedSetting<ValueOf<Id>> };

export interface SettingInputs {
  /** Text behind each flag that was given; "on" and "off" for those without a value. */
  readonly flags: Readonly<Partial<Record<SettingId, string>>>;
  readonly env: { get(name: string): string | undefined };
  /** The content of host-settings.json, or {} when it is absent or unreadable. */
  readonly stored: Readonly<Record<string, unknown>>;
}

/** Find every setting's value. Throws OperationError "invalid" for a wrong flag or a wrong strict variable. */
export function resolveSettings(
  inputs: SettingInputs,
): { readonly settings: ResolvedSettings; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const entries = Object.entries(SETTINGS).map(([id, setting]) =>
    [id, resolveOne(id as SettingId, setting as SettingRow<unknown>, inputs, warnings)] as const
  );
  return { settings: Object.fromEntries(entries) as ResolvedSettings, warnings };
}

function resolveOne(
  id: SettingId,
  setting: SettingRow<unknown>,
  { flags, env, stored }: SettingInputs,
  warnings: string[],
): ResolvedSetting<unknown> {
  const given = flags[id];
  if (given !== undefined) {
    const origin = setting.flag ?? id;
    return { value: requireExact(setting, origin, given), source: "flag", origin };
  }
  for (const name of [setting.env, ...setting.envAliases]) {
    const text = env.get(name)?.trim() ?? "";
    if (text === "") continue;
    if (setting.isStrict) {
      return { value: requireExact(setting, name, text), source: "env", origin: name };
    }
    const parsed = setting.kind.parse(text);
    if (parsed?.isExact !== true) {
      const outcome = parsed === undefined ? "it is ignored" : `${parsed.value} is used`;
      warnings.push(`Cannot use ${name}: it ${setting.kind.expectation}; ${outcome}`);
    }
    if (parsed !== undefined) return { value: parsed.value, source: "env", origin: name };
  }
  if (setting.isStored && stored[id] !== undefined) {
    const value = setting.kind.accept(stored[id]);
    if (value !== undefined) return { value, source: "store", origin: undefined };
    warnings.push(`Cannot use "${id}" of host-settings.json: it ${setting.kind.expectation}`);
  }
  return { value: setting.fallback, source: "default", origin: undefined };
}

function requireExact(setting: SettingRow<unknown>, origin: string, text: string): unknown {
  const parsed = setting.kind.parse(text);
  if (parsed?.isExact === true) return parsed.value;
  throw new OperationError("invalid", `Cannot use ${origin}: it ${setting.kind.expectation}`);
}
