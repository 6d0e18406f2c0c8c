/**
 * `serve`: settings, log and signals around the host (product specification 1.2).
 *
 * @module
 */
import type { HostOptions, OpenHost } from "../../host_options.ts";
import type { Clock } from "../../lib/clock.ts";
import { CORE_ABI_VERSION, VERSION } from "../../lib/version.ts";
import type { Log } from "../../log/log.ts";
import { type ResolvedSettings, resolveSettings, type SettingId } from "../../platform/config.ts";
import { layerEnv, takeCredentials } from "../../platform/config_env_file.ts";
import { JsonStore } from "../../store/json_store.ts";
import type { CliEnvironment, CommandRun } from "../environment.ts";
import { readHostEnv } from "../host_env.ts";
import { openCommandLog, runUntilStopped } from "../long_run.ts";
import { type CommandOutput, describeChain } from "../print.ts";

const GAMESTREAM_WARNING =
  "Moonlight clients are served: their pairing begins over plain HTTP, so use this in a network you trust";

const OPEN_WARNING =
  "Devices that nobody paired are served with all rights: use this in a network where you trust everybody";

export type ServeFlags = Readonly<
  Partial<{
    gamestream: boolean;
    moonlight: boolean;
    gamestreamPort: string;
    native: boolean;
    nativePort: string;
    dataPort: string;
    open: boolean;
    mgmtBind: string;
    noMdns: boolean;
    source: string;
  }>
>;

export const run: CommandRun<ServeFlags> = (environment, flags) =>
  serve(environment, flags, async () => (await import("../../host.ts")).openHost);

/** `loadHost` is called once the settings are known to be right: what it imports is most of the program. */
export async function serve(
  environment: CliEnvironment,
  flags: ServeFlags,
  loadHost: () => Promise<OpenHost>,
): Promise<CommandOutput> {
  const directories = environment.directories();
  const credentials = takeCredentials(environment.env);
  const env = layerEnv(
    { get: (name) => credentials.get(name) ?? environment.env.get(name) },
    await readHostEnv(directories.config),
  );
  const clock = await environment.openClock();
  const log = openCommandLog(environment, env);
  const { logger, ring } = log;
  try {
    logger.info("host.starting", { version: VERSION, abi: CORE_ABI_VERSION });
    const options = await readOptions(flags, env, { directory: directories.config, log, clock });
    if (options.isGamestreamOn) logger.warn("host.gamestream", { detail: GAMESTREAM_WARNING });
    if (options.pairingPolicy === "open") logger.warn("host.open", { detail: OPEN_WARNING });
    const openHost = await loadHost();
    const hasFailed = await runUntilStopped(
      { environment, logger, clock },
      () => openHost(options, { env, directories, logger, ring, clock }),
    );
    return { text: "", data: null, exitCode: hasFailed ? 1 : 0 };
  } catch (error) {
    logger.error("host.failed", { error: describeChain(error) });
    return { text: "", data: null, exitCode: 1 };
  }
}

async function readOptions(
  flags: ServeFlags,
  env: { get(name: string): string | undefined },
  { directory, log, clock }: {
    readonly directory: string;
    readonly log: Log;
    readonly clock: Clock;
  },
): Promise<HostOptions> {
  const store = await JsonStore.open<Readonly<Record<string, unknown>>>(
    `${directory}/host-settings.json`,
    { parse: requireObject, empty: {}, nowMs: () => clock.wallMs() },
  );
  const { settings, warnings } = resolveSettings({
    flags: textOfFlags(flags),
    env,
    stored: store.value,
  });
  for (const detail of [store.notice, ...warnings]) {
    if (detail !== undefined) log.logger.warn("host.setting", { detail });
  }
  return optionsOf(settings, flags);
}

function requireObject(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError("no object");
  }
  return json as Readonly<Record<string, unknown>>;
}

/** What each flag says in the terms of the settings registry. */
function textOfFlags(flags: ServeFlags): Partial<Record<SettingId, string>> {
  const text: Partial<Record<SettingId, string>> = {};
  if (flags.gamestream === true || flags.moonlight === true) text.gamestream = "on";
  if (flags.noMdns === true) text.mdns = "off";
  if (flags.gamestreamPort !== undefined) text.gamestream_port = flags.gamestreamPort;
  if (flags.nativePort !== undefined) text.native_port = flags.nativePort;
  if (flags.dataPort !== undefined) text.data_port = flags.dataPort;
  if (flags.mgmtBind !== undefined) text.mgmt_bind = flags.mgmtBind;
  if (flags.source !== undefined) text.source = flags.source;
  return text;
}

function optionsOf(settings: ResolvedSettings, flags: ServeFlags): HostOptions {
  return {
    isGamestreamOn: settings.gamestream.value,
    gamestreamPortBase: settings.gamestream_port.value,
    nativePort: settings.native_port.value,
    dataPort: settings.data_port.value,
    pairingPolicy: flags.open === true ? "open" : "required",
    idleTimeoutMs: settings.idle_timeout_ms.value,
    delivery: settings.delivery.value,
    mtuBytes: settings.wire_mtu.value,
    isChaChaAllowed: settings.chacha20.value,
    managementBind: settings.mgmt_bind.value,
    isMdnsOn: settings.mdns.value,
    source: settings.source.value,
    encoder: settings.encoder.value,
    fecPercent: settings.fec_percent.value,
    videoDropPercent: settings.video_drop.value,
    hostName: settings.host_name.value,
  };
}
