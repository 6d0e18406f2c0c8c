/**
 * The video pump: source → encoder → packetiser → wire kernel, one frame at a time, in one direction.
 *
 * It runs in a Worker of its own (`video_pump_worker.ts`); everything it needs is passed in, so that tests run it with
 * fakes. A screen that does not change is repeated every REPEAT_INTERVAL_US, and at once when an IDR is due: clients time
 * out on silence, and one that lost its picture cannot wait for the desktop to move.
 *
 *     destination → [held back: filler of probes alone, until "flow"] → frames, and filler between them
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import { ProtocolError } from "../../lib/errors.ts";
import type { AccessUnit, VideoEncoder, VideoFrame, VideoSource } from "../../media/ports.ts";
import { IdrGovernor } from "../../media/recovery.ts";
import type {
  Pacing,
  SocketAddress,
  UdpSocketHandle,
  WireKernel,
} from "../../media/wire/kernel.ts";
import type { ProbeTotals } from "../../protocol/punktfunk1/probe_train.ts";
import type { AccessUnitFacts, Packetiser } from "../../protocol/wire_job.ts";
import type { PumpCommand, PumpStats, SentUnit } from "./messages.ts";
import type { Filler, OpenedPacketiser, StreamTuning } from "./packetisers.ts";

const REPEAT_INTERVAL_US = 250_000;
/** How long one wait for a picture lasts: the longest time a request waits on a still screen. */
const SOURCE_WAIT_MS = 20;
/** Filler leaves between waits, so they are short while it does. */
const PROBE_WAIT_MS = 1;
/** Jobs of filler between two waits: a fast probe must not starve the picture. */
const PROBE_JOBS_MAX = 16;
/** Filler has its own timing. */
const UNPACED: Pacing = { burstBytesMax: 65_536, burstPacketsMax: 64, rateBytesPerSecond: 0 };

export interface VideoPumpParts {
  readonly source: VideoSource;
  readonly encoder: VideoEncoder;
  readonly packetiser: Packetiser;
  readonly tuning?: StreamTuning | undefined;
  readonly startProbe?: OpenedPacketiser["startProbe"];
  readonly kernel: WireKernel;
  readonly socket: UdpSocketHandle;
  readonly pacing: Pacing;
  readonly clock: Clock;
  /** Whether the picture waits for "flow". */
  readonly isHeldBack?: boolean | undefined;
  /** How long a request for an IDR waits for its answer at least. */
  readonly recoveryMs?: number | undefined;
  /** The pump stops by itself after this many units. */
  readonly unitsMax?: number | undefined;
  readonly onUnit?: ((unit: SentUnit) => void) | undefined;
  readonly onProbed?: ((totals: ProbeTotals) => void) | undefined;
}

export class VideoPump {
  readonly #parts: VideoPumpParts;
  readonly #idr: IdrGovernor;
  #pacing: Pacing;
  #filler: Filler | undefined;
  #destination: SocketAddress | undefined;
  #isFlowing: boolean;
  #wake: () => void = () => {};
  #isStopped = false;
  #lastFrame: VideoFrame | null = null;
  #lastSentAtUs = Number.NEGATIVE_INFINITY;
  #stats = {
    units: 0,
    idrs: 0,
    repeats: 0,
    packets: 0,
    bytes: 0,
    refusedPackets: 0,
    droppedUnits: 0,
    encodeUs: 0,
    sendUs: 0,
  };

  /** The pump borrows its parts; whoever opened them closes them after `run`. */
  constructor(parts: VideoPumpParts) {
    this.#parts = parts;
    this.#pacing = parts.pacing;
    this.#idr = new IdrGovernor({ answerDelayUs: (parts.recoveryMs ?? 0) * 1000 });
    this.#isFlowing = !parts.isHeldBack;
  }

  get stats(): PumpStats {
    return { ...this.#stats };
  }

  /** Take one command other than "start" and "stop"; what this pump has no use for is ignored. */
  command(command: PumpCommand<unknown>): void {
    const { encoder, tuning, clock } = this.#parts;
    switch (command.kind) {
      case "destination":
        this.#destination = command.destination;
        return this.#wake();
      case "flow":
        this.#isFlowing = true;
        return this.#wake();
      case "idr":
        return this.#idr.request(clock.monotonicUs(), command.roundTripUs);
      case "invalidate":
        return this.#invalidate(command);
      case "bitrate":
        return encoder.setBitrate(command.kbps);
      case "fec":
        return tuning?.setFecPercent(command.percent);
      case "shard-payload":
        return tuning?.setShardPayload(command.sizeBytes);
      case "pacing":
        this.#pacing = command.pacing;
        return;
      case "probe":
        this.#filler ??= this.#parts.startProbe?.(command.plan, clock.monotonicUs());
        return this.#wake();
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** Run until `stop`. Throws what a part threw. */
  async run(onFirstPacket: () => void): Promise<void> {
    await this.#untilFlow();
    while (!this.#isStopped) {
      const waitMs = this.#filler === undefined ? SOURCE_WAIT_MS : PROBE_WAIT_MS;
      const fresh = await this.#parts.source.next(waitMs);
      if (this.#isStopped) return;
      this.#sendFiller();
      if (fresh !== null) this.#lastFrame = fresh;
      if (this.#lastFrame === null || !(fresh !== null || this.#isRepeatDue())) continue;
      if (fresh === null) this.#stats.repeats++;
      this.#sendFrame(this.#lastFrame, fresh !== null);
      if (this.#stats.units === 1) onFirstPacket();
      if (this.#stats.units === this.#parts.unitsMax) return;
    }
  }

  #invalidate(command: Extract<PumpCommand<unknown>, { kind: "invalidate" }>): void {
    const { firstFrameIndex, lastFrameIndex, roundTripUs } = command;
    const { packetiser, encoder, clock } = this.#parts;
    if (firstFrameIndex > lastFrameIndex || lastFrameIndex >= packetiser.nextFrameIndex) return;
    if (encoder.invalidateReferences(firstFrameIndex, lastFrameIndex)) return;
    this.#idr.request(clock.monotonicUs(), roundTripUs);
  }

  /** Until frames may leave. */
  async #untilFlow(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#isStopped && (this.#destination === undefined || !this.#isFlowing)) {
      this.#sendFiller();
      const isFilling = this.#filler !== undefined && this.#destination !== undefined;
      await new Promise<void>((resolve) => {
        if (isFilling) clock.after(PROBE_WAIT_MS, resolve);
        else this.#wake = resolve;
      });
    }
  }

  #sendFiller(): void {
    const { clock, kernel, socket, onProbed } = this.#parts;
    const filler = this.#filler;
    const destination = this.#destination;
    if (filler === undefined || destination === undefined) return;
    for (let jobs = 0; jobs < PROBE_JOBS_MAX; jobs++) {
      const due = filler.next(clock.monotonicUs());
      if (due === null) break;
      const result = kernel.send(due.job, due.unit, { socket, destination, pacing: UNPACED });
      filler.sent(result, clock.monotonicUs());
    }
    if (!filler.isDone(clock.monotonicUs())) return;
    this.#filler = undefined;
    onProbed?.(filler.totals);
  }

  #isRepeatDue(): boolean {
    const nowUs = this.#parts.clock.monotonicUs();
    return this.#idr.isDue(nowUs) || nowUs >= this.#lastSentAtUs + REPEAT_INTERVAL_US;
  }

  #sendFrame(frame: VideoFrame, isFresh: boolean): void {
    const { clock, encoder, packetiser, onUnit } = this.#parts;
    const startUs = clock.monotonicUs();
    const frameIndex = packetiser.nextFrameIndex;
    const unit = encoder.encode(frame, { isIdrWanted: this.#idr.isDue(startUs), frameIndex });
    const encodedUs = clock.monotonicUs();
    this.#lastSentAtUs = encodedUs;
    // A repeat is shown anew: its time is now, or the client would see time stand still.
    const capturedAtUs = isFresh ? frame.capturedAtUs : startUs;
    const wave = unit.wave === undefined ? {} : { wave: unit.wave };
    this.#send(unit, { capturedAtUs, nowUs: encodedUs, isRepeat: !isFresh, ...wave });
    const encodeUs = encodedUs - startUs;
    const sendUs = clock.monotonicUs() - encodedUs;
    this.#stats.encodeUs += encodeUs;
    this.#stats.sendUs += sendUs;
    if (onUnit === undefined || packetiser.nextFrameIndex === frameIndex) return;
    onUnit({ frameIndex, capturedAtUs, waitedUs: startUs - capturedAtUs, encodeUs, sendUs });
  }

  #send(unit: AccessUnit, moment: Omit<AccessUnitFacts, "sizeBytes" | "kind">): void {
    const { packetiser, kernel, socket } = this.#parts;
    if (unit.kind === "idr" || unit.wave === "start") this.#idr.sent(moment.nowUs);
    const destination = this.#destination;
    if (destination === undefined) return;
    try {
      const job = packetiser.plan({
        sizeBytes: unit.data.sizeBytes,
        kind: unit.kind,
        ...moment,
      });
      const result = kernel.send(job, unit.data, { socket, destination, pacing: this.#pacing });
      this.#stats.units++;
      if (unit.kind === "idr") this.#stats.idrs++;
      this.#stats.packets += result.packetCount;
      this.#stats.bytes += result.bytes;
      this.#stats.refusedPackets += result.refusedPackets;
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === "limit")) throw error;
      // Too large to be sent: the client never sees it, so nothing may predict from it.
      this.#stats.droppedUnits++;
      this.#idr.force();
    }
  }
}
