/**
 * The native plane alone, without API and console, for tests and measurement: `punktfunk1-host` (product specification 1.3).
 *
 *     stores, identity → display and sound, or a byte pattern → native plane → mDNS
 *
 * @module
 */
import { openSyntheticAudioBackend } from "./audio/synthetic.ts";
import { openSyntheticDisplayBackend } from "./display/synthetic.ts";
import { nativeAdvert, openNativePlane, testLossLines } from "./host_native.ts";
import type { Host, HostEnvironment } from "./host_options.ts";
import { openBackends, openHolding, openHostMdns, openNativeStores } from "./host_parts.ts";
import { BITRATE_KBPS_MAX } from "./lib/limits.ts";
import type { MotionScript } from "./media/sources/motion_schedule.ts";
import type { TestStream } from "./planes/native/environment.ts";
import type { DeliveryProfile, FecScheme } from "./protocol/punktfunk1/enums.ts";
import { SOFTWARE_CAPABILITIES } from "./session/capabilities.ts";
import type { HostCapabilities } from "./session/plan.ts";
import { ensurePrivateDirectory } from "./store/file.ts";
import { openHostId } from "./trust/host_files.ts";

export interface NativeHostOptions {
  readonly port: number;
  /** "virtual" is a real display; the others send bytes to be checked. */
  readonly source: "synthetic" | "synthetic-abr" | "virtual";
  /** Of a synthetic session; 0 has no end. */
  readonly frames: number;
  /** Of the other sessions; 0 has no end. */
  readonly seconds: number;
  readonly sessionsMax: number;
  readonly sessionsTotal: number;
  readonly isOpen: boolean;
  /** Undefined: four random digits. */
  readonly pin: string | undefined;
  readonly idleTimeoutMs: number;
  readonly dataPort: number;
  readonly isMdnsOn: boolean;
  /** Size of the first unit and of those asked for, in percent of another's. */
  readonly idrPercent: number;
  readonly shape: StreamShape;
  readonly fecPercent: number | undefined;
  /** Test loss, 0…90. */
  readonly videoDropPercent: number;
  readonly delivery: DeliveryProfile;
  readonly mtuBytes: number | undefined;
  readonly isChaChaAllowed: boolean;
  /** How long video may wait for a client that measures its link first; undefined offers no such ramp. */
  readonly rampMsMax: number | undefined;
  readonly fecScheme: FecScheme;
}

/** What a stream of checked bytes looks like to the network. */
export interface StreamShape {
  /** When units leave; a screen that stands still is repeated four times a second. */
  readonly script: MotionScript;
  /** Of the rate, how much units fill: 1…100. */
  readonly fillPercent: number;
  /** How long a request for a key frame waits for its answer at least. */
  readonly recoveryMs: number;
  /** Units of the wave that answers such a request, at least 2; undefined answers with a key frame. */
  readonly waveUnits: number | undefined;
}

export interface NativeHost extends Host {
  /** To be shown to the person at this machine, and never logged. */
  readonly pin: string;
}

/** No encoder stands in a pattern's way: any codec and any rate will do. */
const PATTERN_CAPABILITIES: HostCapabilities = {
  codecs: ["h264", "hevc", "av1"],
  pixelsMax: 8192 * 8192,
  bitrateKbpsMax: BITRATE_KBPS_MAX,
  slicesMax: 1,
  referenceFramesMax: 1,
  hasReferenceInvalidation: false,
  audioChannels: [2, 6, 8],
};

/** Bring it up. Throws OperationError; nothing is left open then. */
export function openNativeHost(
  options: NativeHostOptions,
  environment: HostEnvironment,
): Promise<NativeHost> {
  return openHolding((stack) => open(options, environment, stack));
}

async function open(
  options: NativeHostOptions,
  environment: HostEnvironment,
  stack: AsyncDisposableStack,
): Promise<NativeHost> {
  const { clock, logger, directories } = environment;
  await ensurePrivateDirectory(directories.config);
  const { trust, identity } = await openNativeStores(environment);
  stack.use(trust);
  const { pin } = trust.window.arm({
    ttlS: null,
    ...(options.pin === undefined ? {} : { pin: options.pin }),
  });
  const { display, audio, capabilities, reasons } = await openMedia(options, environment);
  const policy = options.isOpen ? "open" : "required";
  let sessions = 0;
  const { plane, reason } = await openNativePlane({
    ...options,
    policy,
    trust,
    identity,
    display,
    audio,
    capabilities,
    managementPort: () => 0,
    test: testStream(options),
    clock,
    logger,
    nextSessionId: () => ++sessions,
  });
  stack.use(plane);
  if (options.isMdnsOn) {
    const mdns = stack.use(await openHostMdns(environment));
    void mdns.advertise(nativeAdvert({
      hostName: Deno.hostname(),
      port: plane.port,
      fingerprint: identity.fingerprint,
      policy,
      uniqueId: await openHostId(directories.config),
      managementPort: 0,
    }));
  }
  const ended = Promise.withResolvers<void>();
  void plane.drained.then(ended.resolve);
  return {
    pin,
    summary: {
      lines: [
        ...reasons,
        ...testLossLines(options.videoDropPercent),
        reason,
        `punktfunk/1 listens on UDP port ${plane.port}`,
      ],
    },
    ended: ended.promise,
    async close() {
      await stack.disposeAsync();
      ended.resolve();
    },
  };
}

async function openMedia(options: NativeHostOptions, environment: HostEnvironment) {
  if (options.source === "virtual") {
    return { ...await openBackends("auto", environment), capabilities: SOFTWARE_CAPABILITIES };
  }
  return {
    display: openSyntheticDisplayBackend("blank", options.shape.script),
    audio: openSyntheticAudioBackend(),
    capabilities: PATTERN_CAPABILITIES,
    reasons: ["Every session gets bytes to be checked"],
  };
}

function testStream(options: NativeHostOptions): TestStream {
  const { source, frames, seconds, idrPercent } = options;
  const { fillPercent, recoveryMs, waveUnits } = options.shape;
  const isPattern = source !== "virtual";
  return {
    pattern: isPattern
      ? {
        codec: "pattern",
        idrPercent,
        fillPercent,
        waveUnits,
        isFollowingBitrate: source === "synthetic-abr",
      }
      : undefined,
    recoveryMs,
    frameCount: source === "synthetic" ? frames : 0,
    durationMs: source === "synthetic" || seconds === 0 ? undefined : seconds * 1000,
  };
}
