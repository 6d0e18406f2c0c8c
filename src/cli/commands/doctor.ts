/**
 * `doctor`: what of this machine keeps the host from working, and what to do about it. Changes nothing; exits 1 when
 * there is a fault.
 *
 * @module
 */
import { describeResults, type Finding, runChecks } from "../../health/check.ts";
import { doctorChecks } from "../../health/doctor.ts";
import { openMachine } from "../../health/machine.ts";
import { describeError } from "../../lib/errors.ts";
import { type ResolvedSettings, resolveSettings } from "../../platform/config.ts";
import { layerEnv } from "../../platform/config_env_file.ts";
import { readFileIfPresent } from "../../store/file.ts";
import type { CliEnvironment, CommandRun, JsonFlag } from "../environment.ts";
import { readHostEnv } from "../host_env.ts";

export type DoctorFlags = JsonFlag & { readonly gamestream?: boolean };

interface EnvironmentReader {
  get(name: string): string | undefined;
}

export const run: CommandRun<DoctorFlags> = async (environment, { gamestream = false }) => {
  using machine = openMachine();
  const clock = await environment.openClock();
  const { env, settings, finding } = await readSettings(environment, gamestream);
  const checks = doctorChecks({
    machine,
    env,
    clock,
    directories: () => environment.directories(),
    settings: {
      source: settings.source.value,
      isMdnsOn: settings.mdns.value,
      isGamestreamOn: settings.gamestream.value,
      nativePort: settings.native_port.value,
      managementPort: settings.mgmt_bind.value.port,
      gamestreamPortBase: settings.gamestream_port.value,
    },
    runtimeVersion: Deno.version.deno,
    isCompiled: Deno.build.standalone,
    mainPath: new URL(Deno.mainModule).pathname,
  });
  const results = await runChecks(
    [{ id: "settings", find: () => Promise.resolve(finding) }, ...checks],
    { clock },
  );
  return {
    text: describeResults(results),
    data: { checks: results },
    exitCode: results.some(({ state }) => state === "fault") ? 1 : 0,
  };
};

interface SettingsRead {
  /** The process's variables with `host.env` beneath them. */
  readonly env: EnvironmentReader;
  /** As `serve` would run; the defaults when it would not. */
  readonly settings: ResolvedSettings;
  readonly finding: Finding;
}

/** Never rejects: whatever is wrong with the settings is what a doctor is there to say. */
async function readSettings(
  environment: CliEnvironment,
  isGamestreamOn: boolean,
): Promise<SettingsRead> {
  const flags = isGamestreamOn ? { gamestream: "on" } : {};
  let env: EnvironmentReader = environment.env;
  try {
    const directory = configDirectoryOf(environment);
    if (directory !== undefined) env = layerEnv(env, await readHostEnv(directory));
    const file = directory === undefined ? NOTHING_STORED : await readStored(directory);
    const { settings, warnings } = resolveSettings({ flags, env, stored: file.stored });
    return { env, settings, finding: settingsFinding(settings, [...file.warnings, ...warnings]) };
  } catch (error) {
    const { settings } = resolveSettings({ flags, env: { get: () => undefined }, stored: {} });
    return { env, settings, finding: { state: "fault", summary: describeError(error) } };
  }
}

/** Undefined when this user has none, which is a check of its own. */
function configDirectoryOf(environment: CliEnvironment): string | undefined {
  try {
    return environment.directories().config;
  } catch {
    return undefined;
  }
}

interface StoredSettings {
  readonly stored: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

const NOTHING_STORED: StoredSettings = { stored: {}, warnings: [] };

/** `serve` sets a damaged file aside; here it stays where it is. */
async function readStored(directory: string): Promise<StoredSettings> {
  const path = `${directory}/host-settings.json`;
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) return NOTHING_STORED;
  try {
    const stored: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof stored === "object" && stored !== null && !Array.isArray(stored)) {
      return { stored: stored as Readonly<Record<string, unknown>>, warnings: [] };
    }
  } catch {
    // The parser's words would quote the file.
  }
  return { stored: {}, warnings: [`${path} is damaged, the host will start without it`] };
}

function settingsFinding(settings: ResolvedSettings, warnings: readonly string[]): Finding {
  if (warnings.length > 0) return { state: "warning", summary: warnings.join("; ") };
  const changed = Object.entries(settings).filter(([, { source }]) => source !== "default");
  return {
    state: "ok",
    summary: changed.length === 0
      ? "Every setting has its default"
      : `Set: ${changed.map(([id, { origin }]) => `${id} (${origin ?? "file"})`).join(", ")}`,
  };
}
