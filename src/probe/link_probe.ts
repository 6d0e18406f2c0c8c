/**
 * One measurement of the link: filler at a rate for a while, and what of it came (punktfunk/1 specification 4.9, 6.2).
 *
 *     ProbeRequest → filler, counted here → ProbeResult → rate and loss       nothing for 15 s: the host did not run it
 *
 * @module
 */
import type { ControlMessage, ControlMessageOf } from "../protocol/punktfunk1/control.ts";

const ANSWER_TIMEOUT_US = 15_000_000;
/** The last packets may overtake, or be overtaken by, the result. */
const SETTLE_US = 200_000;

export interface LinkProbeRequest {
  readonly targetKbps: number;
  readonly durationMs: number;
}

export interface FillerCounters {
  readonly probePackets: number;
  readonly probeBytes: number;
}

export interface LinkProbeResult extends LinkProbeRequest {
  /** False when the host did not answer; the rest is what came all the same. */
  readonly isAnswered: boolean;
  readonly receivedPackets: number;
  readonly receivedKbps: number;
  /** Packets that the host's kernel took, and did not; 0 from old hosts. */
  readonly sentPackets: number;
  readonly droppedPackets: number;
  /** Share of sent packets that did not come, 0…1; null when the host does not tell how many it sent. */
  readonly lossRatio: number | null;
}

export class LinkProbe {
  readonly #request: LinkProbeRequest;
  readonly #send: (message: ControlMessage) => void;
  #startedAtUs: number | undefined;
  #answer:
    | { readonly message: ControlMessageOf<"probe-result">; readonly atUs: number }
    | undefined;
  #result: LinkProbeResult | undefined;

  constructor(request: LinkProbeRequest, send: (message: ControlMessage) => void) {
    this.#request = request;
    this.#send = send;
  }

  /** Undefined until it is over. */
  get result(): LinkProbeResult | undefined {
    return this.#result;
  }

  answered(message: ControlMessageOf<"probe-result">, nowUs: number): void {
    this.#answer ??= { message, atUs: nowUs };
  }

  /** Begin with the first call; then look whether it is over. */
  tick(nowUs: number, counters: FillerCounters): void {
    if (this.#startedAtUs === undefined) {
      this.#startedAtUs = nowUs;
      this.#send({ kind: "probe-request", ...this.#request });
      return;
    }
    const isSettled = this.#answer !== undefined && nowUs >= this.#answer.atUs + SETTLE_US;
    if (!isSettled && nowUs < this.#startedAtUs + ANSWER_TIMEOUT_US) return;
    this.#result ??= this.#conclude(counters);
  }

  #conclude({ probePackets, probeBytes }: FillerCounters): LinkProbeResult {
    const message = this.#answer?.message;
    const durationMs = message?.durationMs || this.#request.durationMs;
    const sentPackets = message?.wireSent ?? 0;
    return {
      ...this.#request,
      isAnswered: message !== undefined,
      receivedPackets: probePackets,
      receivedKbps: probeBytes * 8 / durationMs,
      sentPackets,
      droppedPackets: message?.dropped ?? 0,
      lossRatio: sentPackets === 0 ? null : Math.max(0, 1 - probePackets / sentPackets),
    };
  }
}
