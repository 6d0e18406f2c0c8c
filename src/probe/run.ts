/**
 * A run of the probe: who am I, perhaps pair, connect, stream, and say what was found.
 *
 *     identity, known hosts → [dial → pair] → dial → Hello … Welcome → ProbeSession → [clock strips] → ProbeOutcome
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { describeError, OperationError } from "../lib/errors.ts";
import { BITRATE_KBPS_MAX } from "../lib/limits.ts";
import type { WireInput } from "../protocol/punktfunk1/datagrams/input.ts";
import { AutomaticBitrate } from "../protocol/punktfunk1/rate/automatic_bitrate.ts";
import type { Welcome } from "../protocol/punktfunk1/welcome.ts";
import { sealSecretsOf } from "../protocol/punktfunk1/welcome_secrets.ts";
import type { QuicConnector } from "../quic/ports.ts";
import { describeQuic, openQuicConnector, type QuicEnvironment } from "../quic/registry.ts";
import { dial, type Dialed, type HostAddress } from "./dial.ts";
import { helloOf, shakeHands, type StreamWish } from "./handshake.ts";
import { KnownHosts, openProbeIdentity, type ProbeIdentity } from "./identity.ts";
import type { LinkProbeRequest } from "./link_probe.ts";
import { openPackets } from "./packet_opener.ts";
import { pair } from "./pairing.ts";
import {
  contactResult,
  type ProbeContact,
  type ProbeResult,
  problemsOf,
  streamResult,
} from "./result.ts";
import { ProbeSession, type StreamLimits } from "./session.ts";
import { Samples } from "./statistics.ts";
import { readStripsOf, requireDecoder } from "./strip_reader.ts";
import { UnitFile } from "./unit_file.ts";

export interface ProbeOptions {
  readonly host: HostAddress;
  /** Where identity and known hosts are kept. */
  readonly directory: string;
  /** Pair with it first. */
  readonly pin?: string | undefined;
  /** With a PIN: end there. */
  readonly isPairOnly: boolean;
  /** Prove by key, and show no certificate. */
  readonly isKeyOnly: boolean;
  /** The host's, when it is known from elsewhere; else what this client remembers. */
  readonly fingerprint?: Uint8Array | undefined;
  readonly wish: StreamWish;
  readonly limits: StreamLimits;
  /** For reaching the host. */
  readonly dialBudgetMs: number;
  /** From Hello to Welcome; an operator may have to approve. */
  readonly welcomeTimeoutMs: number;
  readonly isQuit: boolean;
  readonly videoPath?: string | undefined;
  readonly soundPath?: string | undefined;
  readonly readsClockStrips: boolean;
  readonly inputStep?: ((step: number) => readonly WireInput[]) | undefined;
  readonly toneHz?: number | undefined;
  readonly link?: LinkProbeRequest | undefined;
  /** Ask for the rate that the path carries, up to what was wished for. */
  readonly isAdaptive: boolean;
}

export interface ProbeEnvironment {
  readonly clock: Clock;
  /** Variables that choose the QUIC stack. */
  readonly env: QuicEnvironment;
  readonly onProgress: (session: ProbeSession) => void;
  /** Called once, with what ends the stream early. */
  readonly onStreaming: (stop: () => void) => void;
}

export interface ProbeOutcome {
  readonly result: ProbeResult;
  /** Over by now; undefined when the run only paired. */
  readonly session: ProbeSession | undefined;
  readonly drawnToReceived: Samples;
}

/** Throws OperationError for what keeps a stream from beginning; what goes wrong later is in the result. */
export async function runProbe(
  options: ProbeOptions,
  environment: ProbeEnvironment,
): Promise<ProbeOutcome> {
  if (options.readsClockStrips) await requireDecoder();
  const identity = await openProbeIdentity(options.directory);
  const hosts = await KnownHosts.open(options.directory, {
    nowMs: () => environment.clock.wallMs(),
  });
  const showsCertificate = !options.isKeyOnly &&
    describeQuic(environment.env).asksForClientCertificate;
  await using connector = openQuicConnector({
    needsClientCertificate: showsCertificate,
    environment: environment.env,
  });
  const run = new Run({ options, environment, identity, hosts, connector, showsCertificate });
  return await run.run();
}

interface RunParts {
  readonly options: ProbeOptions;
  readonly environment: ProbeEnvironment;
  readonly identity: ProbeIdentity;
  readonly hosts: KnownHosts;
  readonly connector: QuicConnector;
  /** Whether the certificate is shown; the device key proves this client otherwise. */
  readonly showsCertificate: boolean;
}

class Run {
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  async run(): Promise<ProbeOutcome> {
    const { options, hosts } = this.#parts;
    const { host, pin, isPairOnly, fingerprint } = options;
    if (pin !== undefined) {
      const contact = this.#contact(await this.#pair(pin));
      if (isPairOnly) {
        return {
          result: { ok: true, problems: [], host: contactResult(contact), stream: null },
          session: undefined,
          drawnToReceived: new Samples(),
        };
      }
    }
    const dialed = await this.#dial(fingerprint ?? hosts.get(host));
    try {
      return await this.#stream(dialed);
    } finally {
      dialed.connection.close(0, "");
    }
  }

  /** The ceremony makes the host known, so no pin is held against it unless somebody gave one. */
  async #pair(pin: string): Promise<Uint8Array> {
    const { options, identity, hosts, showsCertificate, connector } = this.#parts;
    const { host, fingerprint, wish } = options;
    // A stack that takes pinned hosts alone can pair again with one that it remembers.
    const known = connector.adapter === "deno" ? hosts.get(host) : undefined;
    const dialed = await this.#dial(fingerprint ?? known);
    await pair(dialed, {
      pin,
      name: wish.name,
      identity: showsCertificate
        ? { certificateFingerprint: identity.fingerprint }
        : { deviceKey: identity.deviceKey },
      randomBytes: (sizeBytes) => new Uint8Array(randomBytes(sizeBytes)),
    });
    await hosts.remember(host, dialed.hostFingerprint);
    return dialed.hostFingerprint;
  }

  async #dial(fingerprint: Uint8Array | undefined): Promise<Dialed> {
    const { options, environment, identity, connector, showsCertificate, hosts } = this.#parts;
    try {
      return await dial(options.host, {
        connector,
        clock: environment.clock,
        identity: showsCertificate ? identity : undefined,
        fingerprint,
        budgetMs: options.dialBudgetMs,
      });
    } catch (error) {
      const isOther = error instanceof OperationError && error.code === "certificate-mismatch";
      if (!isOther) throw error;
      throw new OperationError("certificate-mismatch", "Cannot trust the host: it is another one", {
        remedy: options.fingerprint === undefined
          ? `If it was set up anew, pair again with --pin, or remove it from ${hosts.path}`
          : "Check --fingerprint",
        cause: error,
      });
    }
  }

  async #stream(dialed: Dialed): Promise<ProbeOutcome> {
    const { options, environment, identity, hosts } = this.#parts;
    const hello = helloOf(options.wish);
    const welcome = await shakeHands(dialed, {
      ...identity,
      hello,
      timeoutMs: options.welcomeTimeoutMs,
    });
    await hosts.remember(options.host, dialed.hostFingerprint);
    await using opener = openPackets({
      host: { address: options.host.address, port: welcome.udpPort },
      seal: welcome.isEncrypted ? sealSecretsOf(welcome) : null,
      clock: environment.clock,
    });
    using file = await openUnitFile(options);
    const session = new ProbeSession({
      ...options,
      dialed,
      welcome,
      opener,
      clock: environment.clock,
      shardPayloadBytesMax: hello.shardPayloadBytesMax,
      onFrame: (frame) => file?.units.write(frame.data, frame.deliveredAtUs),
      onProgress: environment.onProgress,
      rateController: options.isAdaptive ? rateControllerOf(welcome, options.wish) : undefined,
      ceilingKbps: ceilingOf(options.wish),
    });
    environment.onStreaming(() => session.stop());
    await session.run();
    const { drawnToReceived, problem } = await this.#readStrips(file, welcome);
    const problems = [...problemsOf(session), ...(problem === undefined ? [] : [problem])];
    const result: ProbeResult = {
      ok: problems.length === 0,
      problems,
      host: contactResult(this.#contact(dialed.hostFingerprint)),
      stream: streamResult(session, {
        opener,
        drawnToReceived,
        hasDecodedSound: options.soundPath !== undefined && welcome.audioCodec === "opus",
      }),
    };
    return { result, session, drawnToReceived };
  }

  async #readStrips(file: OpenedUnitFile | undefined, { codec, mode }: Welcome) {
    const drawnToReceived = new Samples();
    if (file === undefined || !this.#parts.options.readsClockStrips || file.units.count === 0) {
      return { drawnToReceived, problem: undefined };
    }
    file.units.close();
    try {
      const readings = await readStripsOf(file.units, { codec, ...mode });
      const { pictures, readable } = readings;
      const isWhole = pictures === file.units.count && readable === pictures;
      const problem = isWhole
        ? undefined
        : `Of ${file.units.count} frames ${pictures} were decoded and ${readable} have clock strips`;
      return { drawnToReceived: readings.drawnToReceived, problem };
    } catch (error) {
      return { drawnToReceived, problem: describeError(error) };
    }
  }

  #contact(hostFingerprint: Uint8Array): ProbeContact {
    const { options, identity, connector, showsCertificate } = this.#parts;
    return {
      host: options.host,
      quic: connector.adapter,
      hostFingerprint,
      identity: showsCertificate ? "certificate" : "device-key",
      clientFingerprint: showsCertificate
        ? identity.fingerprint
        : new Uint8Array(createHash("sha256").update(identity.deviceKey).digest()),
      isPaired: options.pin !== undefined,
    };
  }
}

interface OpenedUnitFile extends Disposable {
  readonly units: UnitFile;
}

/** Where units go: the path asked for, or, to be decoded and forgotten, one that is removed again. */
async function openUnitFile(
  { videoPath, readsClockStrips }: ProbeOptions,
): Promise<OpenedUnitFile | undefined> {
  if (videoPath === undefined && !readsClockStrips) return undefined;
  const path = videoPath ?? await Deno.makeTempFile({ prefix: "punktfunk-probe-" });
  const units = new UnitFile(path);
  return {
    units,
    [Symbol.dispose]() {
      units.close();
      if (videoPath === undefined) Deno.removeSync(path);
    },
  };
}

/** What the user named is what automatic bitrate may climb to. */
function ceilingOf({ bitrateKbps }: StreamWish): number {
  return bitrateKbps === 0 ? BITRATE_KBPS_MAX : bitrateKbps;
}

function rateControllerOf(welcome: Welcome, wish: StreamWish): AutomaticBitrate {
  return new AutomaticBitrate({
    startKbps: welcome.bitrateKbps,
    ceilingKbps: ceilingOf(wish),
    refreshHz: welcome.mode.refreshHz,
  });
}
