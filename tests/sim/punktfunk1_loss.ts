/**
 * One trial of the native plane's video over a bad network: packetiser → reference kernel → link → reassembler, with a
 * record of what arrived, which tells what a client could have saved. The same seed makes the same trial.
 *
 * @module
 */
import { equalBytes } from "../../src/lib/bytes.ts";
import { FakeClock } from "../../src/lib/clock.ts";
import { AdaptiveFec } from "../../src/protocol/punktfunk1/adaptive_fec.ts";
import type { FecTerms } from "../../src/protocol/punktfunk1/fec_plan.ts";
import { LossMeter } from "../../src/protocol/punktfunk1/loss_meter.ts";
import { decodeVideoHeader } from "../../src/protocol/punktfunk1/video_header.ts";
import { VideoOpener } from "../../src/protocol/punktfunk1/video_opener.ts";
import {
  VideoReassembler,
  type VideoReceiveStats,
} from "../../src/protocol/punktfunk1/video_reassembler.ts";
import { SealCounter } from "../../src/protocol/punktfunk1/video_seal.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import {
  FRAME_BYTES_MAX,
  FRAME_INTERVAL_US,
  SHARD_PAYLOAD_BYTES,
  testAccessUnit,
  TestVideoStream,
} from "../support/punktfunk1_video.ts";
import { CLEAR_WEATHER, LossyLink, type Weather } from "./lossy_link.ts";

/** Enough clear frames for the client to settle all before them: 120 ms of capture time. */
const CLOSING_FRAMES = 9;
const SECRETS = {
  cipher: "aes-128-gcm",
  key: new Uint8Array(16).fill(3),
  salt: new Uint8Array(4).fill(0xc5),
} as const;

export interface LossTrial {
  readonly seed: number;
  readonly weather: Partial<Weather>;
  /** "adaptive" follows the client's reports, which take no time and are not lost. */
  readonly fecPercent: number | "adaptive";
  readonly frameCount: number;
  /** Frames are 1 byte up to this. */
  readonly frameSizeBytesMax: number;
  /** K; 16 unless said. */
  readonly blockDataShardsMax?: number;
  readonly scheme?: FecTerms["scheme"];
  readonly isSealed?: boolean;
}

export interface LossOutcome {
  readonly sentPackets: number;
  /** Packets of which no copy arrived. */
  readonly lostPackets: number;
  /** Frames that never came out, and those that had a block with fewer packets than data. */
  readonly lostFrames: readonly number[];
  readonly hopelessFrames: readonly number[];
  /** Frames that came out with other bytes, or out of order. */
  readonly wrongFrames: readonly number[];
  readonly inFlightBytesMax: number;
  /** In force for each frame. */
  readonly fecPercents: readonly number[];
  readonly stats: VideoReceiveStats;
}

/** Which packets of which block arrived. */
class ArrivalRecord {
  readonly #blocks = new Map<string, { readonly frame: number; need: number; have: Set<number> }>();
  sentPackets = 0;

  sent(packet: Uint8Array): void {
    this.#blockOf(packet);
    this.sentPackets++;
  }

  arrived(packet: Uint8Array): void {
    this.#blockOf(packet).have.add(decodeVideoHeader(packet).shardIndex);
  }

  get arrivedPackets(): number {
    return [...this.#blocks.values()].reduce((sum, { have }) => sum + have.size, 0);
  }

  hopelessFrames(): number[] {
    const short = [...this.#blocks.values()].filter(({ need, have }) => have.size < need);
    return [...new Set(short.map(({ frame }) => frame))];
  }

  #blockOf(packet: Uint8Array) {
    const { frameIndex, blockIndex, dataCount } = decodeVideoHeader(packet);
    const key = `${frameIndex}/${blockIndex}`;
    const block = this.#blocks.get(key) ?? { frame: frameIndex, need: dataCount, have: new Set() };
    this.#blocks.set(key, block);
    return block;
  }
}

/** The client: opens, reassembles, compares, reports. */
class Client {
  readonly received: number[] = [];
  readonly wrongFrames: number[] = [];
  readonly lostFrames: number[] = [];
  readonly reassembler: VideoReassembler;
  inFlightBytesMax = 0;
  readonly #opener: VideoOpener;
  readonly #record: ArrivalRecord;

  constructor(
    terms: FecTerms,
    { isSealed, record, sizes }: {
      readonly isSealed: boolean;
      readonly record: ArrivalRecord;
      /** Of the frames, by index. */
      readonly sizes: readonly number[];
    },
  ) {
    this.#opener = openOpener(isSealed);
    this.#record = record;
    this.reassembler = new VideoReassembler({
      terms,
      shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
      frameBytesMax: FRAME_BYTES_MAX,
      onFrame: ({ frameIndex, data }) => {
        const isRight = frameIndex > (this.received.at(-1) ?? -1) &&
          equalBytes(data, testAccessUnit(frameIndex, sizes[frameIndex] ?? 0));
        if (!isRight) this.wrongFrames.push(frameIndex);
        this.received.push(frameIndex);
      },
      onGap: ({ first, last }) => {
        for (let index = first; index <= last; index++) this.lostFrames.push(index);
      },
    });
  }

  accept(datagram: Uint8Array, nowUs: number): void {
    const packet = this.#opener.open(datagram);
    if (packet === undefined) return;
    this.#record.arrived(packet);
    this.reassembler.accept(packet, nowUs);
    this.inFlightBytesMax = Math.max(this.inFlightBytesMax, this.reassembler.inFlightBytes);
  }
}

function openOpener(isSealed: boolean): VideoOpener {
  return new VideoOpener(isSealed ? SECRETS : null);
}

/** The loop from the client's reports to the host's parity. */
class FecLoop {
  readonly #meter: LossMeter;
  readonly #fec = new AdaptiveFec();
  #knownLosses = 0;

  constructor(startUs: number) {
    this.#meter = new LossMeter(startUs);
  }

  percentAt(nowUs: number, client: Client): number {
    if (client.lostFrames.length > this.#knownLosses) this.#fec.noteUnrepaired();
    this.#knownLosses = client.lostFrames.length;
    const lossPpm = this.#meter.poll(client.reassembler.stats, nowUs)?.lossPpm;
    return lossPpm === undefined ? this.#fec.percent : this.#fec.report(lossPpm);
  }
}

export function runLossTrial(trial: LossTrial): LossOutcome {
  const { isSealed = false, scheme = "gf65536", blockDataShardsMax = 16, fecPercent } = trial;
  const random = new SeededRandom(trial.seed);
  const clock = new FakeClock();
  // Room for every percentage in full blocks too, so that a trial gets what it asks for.
  const terms: FecTerms = { scheme, percent: 50, blockDataShardsMax };
  const seal = isSealed ? { secrets: SECRETS, counter: new SealCounter() } : null;
  const stream = new TestVideoStream({ terms, seal });
  const record = new ArrivalRecord();
  const sizes: number[] = [];
  const fecPercents: number[] = [];
  const client = new Client(terms, { isSealed, record, sizes });
  const loop = new FecLoop(clock.monotonicUs());
  const sentOpener = openOpener(isSealed);
  const weather = { ...CLEAR_WEATHER, ...trial.weather };
  const deliver = (bytes: Uint8Array) => client.accept(bytes, clock.monotonicUs());
  const link = new LossyLink({ clock, random, weather, deliver });
  for (let frame = 0; frame < trial.frameCount + CLOSING_FRAMES; frame++) {
    const isClosing = frame >= trial.frameCount;
    if (isClosing) link.weather = { ...CLEAR_WEATHER, delayMsMax: weather.delayMsMax };
    const adapted = loop.percentAt(clock.monotonicUs(), client);
    fecPercents.push(fecPercent === "adaptive" ? adapted : fecPercent);
    stream.packetiser.setFecPercent(fecPercents.at(-1) ?? 0);
    sizes.push(isClosing ? 1 : 1 + random.below(trial.frameSizeBytesMax));
    for (const datagram of stream.next(sizes.at(-1) ?? 0)) {
      const packet = sentOpener.open(datagram);
      if (packet !== undefined) record.sent(packet);
      link.send(datagram);
    }
    clock.advance(FRAME_INTERVAL_US / 1000);
  }
  clock.advance(1_000);
  return {
    sentPackets: record.sentPackets,
    lostPackets: record.sentPackets - record.arrivedPackets,
    lostFrames: client.lostFrames,
    hopelessFrames: record.hopelessFrames(),
    wrongFrames: client.wrongFrames,
    inFlightBytesMax: client.inFlightBytesMax,
    fecPercents,
    stats: client.reassembler.stats,
  };
}
