/**
 * What a streaming client asks for on the control stream, and the answers (native specification 6.2).
 *
 *     message → decision here → session (keyframe, references, rate, parity, packet size), or an answer to the client
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Pacing } from "../../media/wire/kernel.ts";
import { AdaptiveFec } from "../../protocol/punktfunk1/adaptive_fec.ts";
import type { ControlMessage } from "../../protocol/punktfunk1/control.ts";
import type { StreamMode } from "../../protocol/punktfunk1/enums.ts";
import {
  grantedBitrateKbps,
  videoBitrateKbps,
  wireBitrateKbps,
  type WireCosts,
} from "../../protocol/punktfunk1/negotiation.ts";
import type { PacedLink } from "../../protocol/punktfunk1/pacing_profile.ts";
import {
  ProbeGate,
  type ProbeRequest,
  type ProbeTotals,
} from "../../protocol/punktfunk1/probe_train.ts";
import type { Session } from "../../session/session.ts";
import { BringUpRamp } from "./bring_up_ramp.ts";
import type { StreamClock } from "./stream_clock.ts";

/** A gap as wide as this is no gap: everything the decoder knows is stale. */
const RFI_FRAMES_MAX = 256;

const NOTHING_PROBED = { bytes: 0n, packets: 0, durationMs: 0, wireSent: 0, dropped: 0 } as const;

export interface StreamControlOptions {
  readonly session: Pick<Session, "requestIdr" | "invalidateReferences" | "tune">;
  readonly send: (message: ControlMessage) => void;
  /** An input event that the client wanted to arrive for certain. */
  readonly onInput: (event: Uint8Array) => void;
  readonly roundTripMs: () => number;
  readonly mode: StreamMode;
  readonly wireKbps: number;
  readonly costs: WireCosts;
  /** Packets grow to this once the client agrees. */
  readonly shardPayloadLater: number;
  readonly encoderKbpsMax: number;
  readonly isFecPinned: boolean;
  /** Client's PROBE_SEQ. */
  readonly countsProbesApart: boolean;
  /** How long video may wait for a client that measures its link first; undefined where Welcome did not offer it. */
  readonly rampMsMax: number | undefined;
  readonly pacing: (link: PacedLink) => Pacing;
  readonly clock: Clock;
  readonly streamClock: StreamClock;
  readonly logger: Logger;
}

export class StreamControl implements Disposable {
  readonly #options: StreamControlOptions;
  #wireKbps: number;
  #costs: WireCosts;
  #provenKbps: number | undefined;
  readonly #fec: AdaptiveFec | undefined;
  readonly #probes: ProbeGate;
  readonly #ramp: BringUpRamp | undefined;
  #phase: "before" | "ramp" | "stream" = "before";
  /** Came before the punch: its datagram took another way. */
  #earlyProbe: ProbeRequest | undefined;
  #hasWarnedOfNothing = false;

  constructor(options: StreamControlOptions) {
    this.#options = options;
    this.#fec = options.isFecPinned ? undefined : new AdaptiveFec();
    this.#probes = new ProbeGate({ hasOwnIndices: options.countsProbesApart });
    this.#wireKbps = options.wireKbps;
    this.#costs = options.costs;
    const { clock, roundTripMs, rampMsMax: limitMs } = options;
    if (limitMs !== undefined) this.#ramp = new BringUpRamp({ clock, roundTripMs, limitMs });
  }

  /** Rate on the wire and share of parity in force. */
  get inForce(): { readonly wireKbps: number; readonly fecPercent: number } {
    return { wireKbps: this.#wireKbps, fecPercent: this.#costs.fecPercent };
  }

  /** It is known where to send. Resolves when the first frame may leave; the client measures its link meanwhile. */
  async rampUp(): Promise<void> {
    if (this.#ramp === undefined) return;
    this.#phase = "ramp";
    this.#probes.openRamp();
    this.#ramp.begin();
    if (this.#earlyProbe !== undefined) this.#probe(this.#earlyProbe);
    await this.#ramp.over;
  }

  /** The first frame leaves; probes are answered beside the video. */
  startStream(): void {
    this.#phase = "stream";
    this.#probes.startStream();
    const { shardPayloadLater, send } = this.#options;
    if (shardPayloadLater === this.#costs.shardPayloadBytes) return;
    send({ kind: "shard-payload-changed", shardPayloadBytes: shardPayloadLater });
  }

  /** The filler that a request asked for has left. */
  probed({ bytes, packets, durationMs, wireSent, dropped }: ProbeTotals): void {
    this.#probes.finish();
    this.#options.send({ kind: "probe-result", bytes, packets, durationMs, wireSent, dropped });
    if (this.#phase === "ramp") this.#ramp?.answered();
  }

  /** A ramp that is waited for is over. */
  [Symbol.dispose](): void {
    this.#ramp?.[Symbol.dispose]();
  }

  /** Handle one message that came in at `receivedNs` of the stream's clock. */
  handle(message: ControlMessage, receivedNs: bigint): void {
    const { session, send, streamClock, roundTripMs, mode } = this.#options;
    switch (message.kind) {
      case "clock-probe":
        return send({
          kind: "clock-echo",
          probeSentNs: message.sentNs,
          probeReceivedNs: receivedNs,
          echoSentNs: streamClock.nowNs(),
        });
      case "request-keyframe":
        this.#fec?.noteUnrepaired();
        return session.requestIdr(roundTripMs());
      case "rfi-request":
        return this.#recover(message.firstFrame, message.lastFrame);
      case "loss-report":
        return this.#adaptFec(message.lossPpm);
      case "set-bitrate":
        return this.#setBitrate(message.kbps);
      case "shard-payload-ack":
        return this.#growShards(message.shardPayloadBytes);
      case "reconfigure":
        // The display keeps the size it was made with.
        return send({ kind: "reconfigured", isAccepted: false, mode });
      case "probe-request":
      case "probe-shaped":
        return this.#probe(message);
      case "link-report":
        this.#provenKbps = message.provenKbps;
        this.#pace();
        // It is the ramp's last word.
        if (this.#phase === "ramp") this.#ramp?.end();
        return;
      case "delivery-report":
        return this.#checkDelivery(message.packetsReceived);
      case "input-edge":
        return this.#options.onInput(message.event);
      default:
        return;
    }
  }

  #recover(first: number, last: number): void {
    const { session, roundTripMs } = this.#options;
    this.#fec?.noteUnrepaired();
    if (last < first || last - first >= RFI_FRAMES_MAX) session.requestIdr(roundTripMs());
    else session.invalidateReferences({ first, last }, roundTripMs());
  }

  #adaptFec(lossPpm: number): void {
    const fecPercent = this.#fec?.report(lossPpm);
    if (fecPercent === undefined || fecPercent === this.#costs.fecPercent) return;
    const isGrowing = fecPercent > this.#costs.fecPercent;
    this.#costs = { ...this.#costs, fecPercent };
    // More parity leaves less for the picture, and the client's rate is what the wire carries: the encoder gives up its part
    // before parity takes it, and gets it back after.
    if (isGrowing) this.#tuneEncoder();
    this.#options.session.tune({ kind: "fec", percent: fecPercent });
    if (!isGrowing) this.#tuneEncoder();
  }

  #growShards(agreedBytes: number): void {
    const { session, shardPayloadLater } = this.#options;
    const isAsked = agreedBytes === shardPayloadLater &&
      agreedBytes !== this.#costs.shardPayloadBytes;
    if (!isAsked) return;
    this.#costs = { ...this.#costs, shardPayloadBytes: agreedBytes };
    session.tune({ kind: "shard-payload", sizeBytes: agreedBytes });
    this.#tuneEncoder();
  }

  #setBitrate(askedKbps: number): void {
    this.#wireKbps = grantedBitrateKbps(askedKbps);
    const kbps = this.#tuneEncoder();
    if (kbps === this.#options.encoderKbpsMax) {
      this.#wireKbps = Math.min(this.#wireKbps, wireBitrateKbps(kbps, this.#costs));
    }
    this.#pace();
    this.#options.send({ kind: "bitrate-changed", kbps: this.#wireKbps, reason: undefined });
  }

  #tuneEncoder(): number {
    const { session, encoderKbpsMax } = this.#options;
    const kbps = Math.min(
      videoBitrateKbps({ ...this.#costs, wireKbps: this.#wireKbps }),
      encoderKbpsMax,
    );
    session.tune({ kind: "bitrate", kbps });
    return kbps;
  }

  #pace(): void {
    const { session, pacing } = this.#options;
    const proven = this.#provenKbps === undefined ? {} : { provenKbps: this.#provenKbps };
    session.tune({ kind: "pacing", pacing: pacing({ wireKbps: this.#wireKbps, ...proven }) });
  }

  #probe(request: ProbeRequest): void {
    const { session, send, clock } = this.#options;
    if (this.#phase === "before" && this.#ramp !== undefined) {
      this.#earlyProbe = request;
      return;
    }
    const verdict = this.#probes.admit(request, clock.monotonicUs());
    if (verdict.kind === "run") {
      session.tune({ kind: "probe", plan: verdict.plan });
      if (this.#phase === "ramp") this.#ramp?.asked();
    }
    if (verdict.kind === "empty") send({ kind: "probe-result", ...NOTHING_PROBED });
  }

  #checkDelivery(packetsReceived: bigint): void {
    // Before the first frame, nothing is what a client gets.
    const isExpected = this.#phase !== "stream" || packetsReceived > 0n;
    if (isExpected || this.#hasWarnedOfNothing) return;
    this.#hasWarnedOfNothing = true;
    this.#options.logger.warn("native.no-video", {
      reason:
        "The client gets no video packets: a firewall or a wrong route may drop this host's UDP",
    });
  }
}
