/**
 * `serve`: settings, log and signals around the host (product specification 1.2).
 *
 * @module
 */
import type { HostOptions, OpenHost } from "../../host_options.ts";
import { OperationError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { CORE_ABI_VERSION, VERSION } from "../../lib/version.ts";
import { LogFilter } from "../../log/filter.ts";
import { type Log, openLog } from "../../log/log.ts";
import { type ResolvedSettings, resolveSettings, type SettingId } from "../../platform/config.ts";
import {
  HOST_ENV_BYTES_MAX,
  layerEnv,
  parseHostEnv,
  takeCredentials,
} from "../../platform/config_env_file.ts";
import { readFileIfPresent } from "../../store/file.ts";
import { JsonStore } from "../../store/json_store.ts";
import type { CliEnvironment, CommandRun } from "../environment.ts";
import { describeChain } from "../print.ts";

/** Sessions, sound and displays are put back within this time (product specification 1.2). */
const CLOSE_TIMEOUT_MS = 20_000;

export type ServeFlags = Readonly<
  Partial<{
    gamestream: boolean;
    moonlight: boolean;
    gamestreamPort: string;
    native: boolean;
    nativePort: string;
    mgmtBind: string;
    noMdns: boolean;
    source: string;
  }>
>;

export const run: CommandRun<ServeFlags> = async (environment, flags) => {
  const directory = environment.directories().config;
  const credentials = takeCredentials(environment.env);
  const env = layerEnv(
    { get: (name) => credentials.get(name) ?? environment.env.get(name) },
    await readHostEnv(directory),
  );
  const clock = await environment.openClock();
  const log = openServeLog(environment, env);
  try {
    log.logger.info("host.starting", { version: VERSION, abi: CORE_ABI_VERSION });
    const options = await readOptions(flags, env, { directory, log, nowMs: () => clock.wallMs() });
    const { openHost } = await import("../../host.ts") satisfies { openHost: OpenHost };
    const exitCode = await runUntilStopped(environment, log.logger, () =>
      openHost(options, {
        env,
        directories: environment.directories(),
        logger: log.logger,
        ring: log.ring,
        clock,
      }));
    return { text: "", data: null, exitCode };
  } catch (error) {
    log.logger.error("host.failed", { error: describeChain(error) });
    return { text: "", data: null, exitCode: 1 };
  }
};

async function readHostEnv(directory: string): Promise<ReadonlyMap<string, string>> {
  const path = `${directory}/host.env`;
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) return new Map();
  if (bytes.byteLength > HOST_ENV_BYTES_MAX) {
    throw new OperationError(
      "storage",
      `Cannot read ${path}: it exceeds ${HOST_ENV_BYTES_MAX} bytes`,
    );
  }
  return parseHostEnv(new TextDecoder().decode(bytes));
}

function openServeLog(
  { terminal }: CliEnvironment,
  env: { get(name: string): string | undefined },
): Log {
  return openLog({
    filter: LogFilter.parse(env.get("PUNKTFUNK_LOG") ?? env.get("RUST_LOG")),
    format: env.get("PUNKTFUNK_LOG_FORMAT")?.toLowerCase() === "json" ? "json" : "text",
    hasColor: terminal.hasColor,
    wallMs: () => Date.now(),
    write: (line) => terminal.writeErr(line),
  });
}

async function readOptions(
  flags: ServeFlags,
  env: { get(name: string): string | undefined },
  { directory, log, nowMs }: {
    readonly directory: string;
    readonly log: Log;
    readonly nowMs: () => number;
  },
): Promise<HostOptions> {
  const store = await JsonStore.open<Readonly<Record<string, unknown>>>(
    `${directory}/host-settings.json`,
    { parse: requireObject, empty: {}, nowMs },
  );
  const { settings, warnings } = resolveSettings({
    flags: textOfFlags(flags),
    env,
    stored: store.value,
  });
  for (const detail of [store.notice, ...warnings]) {
    if (detail !== undefined) log.logger.warn("host.setting", { detail });
  }
  return optionsOf(settings);
}

function requireObject(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError("no object");
  }
  return json as Readonly<Record<string, unknown>>;
}

/** What each flag says in the terms of the settings registry. */
export function textOfFlags(flags: ServeFlags): Partial<Record<SettingId, string>> {
  const text: Partial<Record<SettingId, string>> = {};
  if (flags.gamestream === true || flags.moonlight === true) text.gamestream = "on";
  if (flags.noMdns === true) text.mdns = "off";
  if (flags.gamestreamPort !== undefined) text.gamestream_port = flags.gamestreamPort;
  if (flags.nativePort !== undefined) text.native_port = flags.nativePort;
  if (flags.mgmtBind !== undefined) text.mgmt_bind = flags.mgmtBind;
  if (flags.source !== undefined) text.source = flags.source;
  return text;
}

function optionsOf(settings: ResolvedSettings): HostOptions {
  return {
    isGamestreamOn: settings.gamestream.value,
    gamestreamPortBase: settings.gamestream_port.value,
    nativePort: settings.native_port.value,
    managementBind: settings.mgmt_bind.value,
    isMdnsOn: settings.mdns.value,
    source: settings.source.value,
    encoder: settings.encoder.value,
    fecPercent: settings.fec_percent.value,
    hostName: settings.host_name.value,
  };
}

/** Open the host and wait for its end or a signal. A second signal ends the process at once. */
async function runUntilStopped(
  environment: CliEnvironment,
  logger: Logger,
  open: () => ReturnType<OpenHost>,
): Promise<number> {
  let signals = 0;
  let fault: unknown;
  const stop = Promise.withResolvers<void>();
  using _signals = environment.onStopSignal(() => {
    if (++signals > 1) environment.exit(1);
    logger.info("host.stopping", { reason: "signal" });
    stop.resolve();
  });
  using _crashes = onCrash((error) => {
    logger.error("host.crashed", { error: describeChain(error) });
    fault ??= error;
    stop.resolve();
  });
  const host = await open();
  for (const line of host.summary.lines) logger.info("host.ready", { detail: line });
  try {
    await Promise.race([host.ended, stop.promise]);
  } finally {
    await closeInTime(environment, host);
  }
  logger.info("host.stopped");
  return fault === undefined ? 0 : 1;
}

/** Calls `onError` for every error that nobody awaited; the process lives on until the host is closed. */
function onCrash(onError: (error: unknown) => void): Disposable {
  const hear = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    onError("reason" in event ? event.reason : event.error);
  };
  addEventListener("error", hear);
  addEventListener("unhandledrejection", hear);
  return {
    [Symbol.dispose]() {
      removeEventListener("error", hear);
      removeEventListener("unhandledrejection", hear);
    },
  };
}

async function closeInTime(
  environment: CliEnvironment,
  host: { close(): Promise<void> },
): Promise<void> {
  const clock = await environment.openClock();
  const late = Promise.withResolvers<never>();
  const timer = clock.after(CLOSE_TIMEOUT_MS, () =>
    late.reject(
      new OperationError(
        "failed",
        `Cannot end within ${CLOSE_TIMEOUT_MS / 1000} s: something hangs`,
      ),
    ));
  try {
    await Promise.race([host.close(), late.promise]);
  } finally {
    timer.cancel();
  }
}
