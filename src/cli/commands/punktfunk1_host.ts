/**
 * `punktfunk1-host`: the native plane alone, for tests and measurement (product specification 1.3).
 *
 * @module
 */
import { CORE_ABI_VERSION, VERSION } from "../../lib/version.ts";
import { resolveSettings } from "../../platform/config.ts";
import { layerEnv } from "../../platform/config_env_file.ts";
import { RAMP_MS_MAX } from "../../planes/native/bring_up_ramp.ts";
import { FEC_PERCENT_MAX } from "../../protocol/punktfunk1/fec_plan.ts";
import type { CommandRun } from "../environment.ts";
import { readHostEnv } from "../host_env.ts";
import { openCommandLog, runUntilStopped } from "../long_run.ts";
import { describeChain } from "../print.ts";
import { shapeOf, type StreamShapeFlags } from "../stream_shape.ts";

const COVERING_FACTOR = 6;
const IDR_PERCENT = { "synthetic": 100, "synthetic-abr": 1000, "virtual": 100 } as const;

export type Punktfunk1HostFlags =
  & Readonly<
    Partial<{
      port: number;
      source: "synthetic" | "synthetic-abr" | "virtual";
      frames: number;
      seconds: number;
      maxSessions: number;
      maxConcurrent: number;
      allowTofu: boolean;
      requirePairing: boolean;
      allowPairing: boolean;
      pairingPin: string;
      idleTimeoutMs: number;
      dataPort: number;
      noMdns: boolean;
      idrPct: number;
      bringupMs: number;
      noRamp: boolean;
      fecField: "8" | "16";
    }>
  >
  & StreamShapeFlags;

export const run: CommandRun<Punktfunk1HostFlags> = async (environment, flags) => {
  const directories = environment.directories();
  const env = layerEnv(environment.env, await readHostEnv(directories.config));
  const clock = await environment.openClock();
  const { logger, ring } = openCommandLog(environment, env);
  try {
    logger.info("host.starting", { version: VERSION, abi: CORE_ABI_VERSION });
    const { settings, warnings } = resolveSettings({ flags: {}, env, stored: {} });
    for (const detail of warnings) logger.warn("host.setting", { detail });
    const { source = "synthetic" } = flags;
    const { openNativeHost } = await import("../../native_host.ts");
    const hasFailed = await runUntilStopped({ environment, logger, clock }, async () => {
      const host = await openNativeHost({
        source,
        port: flags.port ?? settings.native_port.value,
        frames: flags.frames ?? 300,
        seconds: flags.seconds ?? 30,
        sessionsTotal: flags.maxSessions ?? 0,
        sessionsMax: flags.maxConcurrent ?? 4,
        isOpen: flags.allowTofu ?? false,
        pin: flags.pairingPin,
        idleTimeoutMs: flags.idleTimeoutMs ?? settings.idle_timeout_ms.value,
        dataPort: flags.dataPort ?? settings.data_port.value,
        isMdnsOn: flags.noMdns !== true && settings.mdns.value,
        idrPercent: flags.idrPct ?? IDR_PERCENT[source],
        fecPercent: settings.fec_percent.value ??
          coveringPercent(source, settings.video_drop.value),
        videoDropPercent: settings.video_drop.value,
        delivery: settings.delivery.value,
        mtuBytes: settings.wire_mtu.value,
        shape: shapeOf(flags, source),
        rampMsMax: flags.noRamp ? undefined : flags.bringupMs ?? RAMP_MS_MAX,
        isChaChaAllowed: settings.chacha20.value,
        fecScheme: flags.fecField === "8" ? "gf256" : "gf65536",
      }, { env, directories, logger, ring, clock });
      // Shown, and in no log: whoever reads it may pair.
      environment.terminal.writeErr(
        `[punktfunk] pairing PIN: ${host.pin}  (enter this on the client to pair)\n`,
      );
      return host;
    });
    return { text: "", data: null, exitCode: hasFailed ? 1 : 0 };
  } catch (error) {
    logger.error("host.failed", { error: describeChain(error) });
    return { text: "", data: null, exitCode: 1 };
  }
};

/**
 * Parity for a stream whose every frame is checked while packets are lost on purpose: six times the loss, so that a block of
 * twenty packets loses more than it can repair less than once in a million times. Undefined adapts it to what is reported.
 */
function coveringPercent(
  source: Punktfunk1HostFlags["source"],
  dropPercent: number,
): number | undefined {
  if (source !== "synthetic" || dropPercent === 0) return undefined;
  return Math.min(COVERING_FACTOR * dropPercent, FEC_PERCENT_MAX);
}
