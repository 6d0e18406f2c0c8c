/**
 * The native plane's receiver: what a packet costs in TypeScript when something else has opened it.
 *
 * @module
 */
import { BlockRebuilder } from "../../ffi/wire_rebuild.ts";
import type { BlockDecoder, LossyBlock } from "../../src/protocol/punktfunk1/frame_assembly.ts";
import type { FecTerms } from "../../src/protocol/punktfunk1/fec_plan.ts";
import { VideoReassembler } from "../../src/protocol/punktfunk1/video_reassembler.ts";
import { VideoOpener } from "../../src/protocol/punktfunk1/video_opener.ts";
import { SealCounter } from "../../src/protocol/punktfunk1/video_seal.ts";
import { TestVideoStream } from "../support/punktfunk1_video.ts";
import { type BenchRow, formatRows, runBench } from "./bench.ts";

const TERMS: FecTerms = { scheme: "gf65536", percent: 10, blockDataShardsMax: 4096 };
const SHARD_PAYLOAD_BYTES = 1408;
const DATA_PACKETS = 250;
const FRAME_INDEX_OFFSET = 8;
const SECRETS = {
  cipher: "aes-128-gcm",
  key: new Uint8Array(16).fill(1),
  salt: new Uint8Array(4).fill(2),
} as const;

/** The packets of one frame in one buffer, as a batch receive would hand them over. */
class Batch {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #sizeBytes: number;
  readonly count: number;
  #frameIndex = 0;

  constructor(packets: readonly Uint8Array[]) {
    this.count = packets.length;
    this.#sizeBytes = packets[0]?.byteLength ?? 0;
    this.#bytes = new Uint8Array(this.count * this.#sizeBytes);
    packets.forEach((packet, index) => this.#bytes.set(packet, index * this.#sizeBytes));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Feed the frame under the next index, leaving out the first `lostCount` packets. */
  feed(reassembler: VideoReassembler, lostCount: number): void {
    for (let index = lostCount; index < this.count; index++) {
      const from = index * this.#sizeBytes;
      this.#view.setUint32(from + FRAME_INDEX_OFFSET, this.#frameIndex, true);
      reassembler.accept(this.#bytes.subarray(from, from + this.#sizeBytes), 0);
    }
    this.#frameIndex++;
  }
}

function openReceiver(lostCount: number, decodeBlock?: BlockDecoder): () => void {
  const options = {
    terms: TERMS,
    shardPayloadBytes: SHARD_PAYLOAD_BYTES,
    shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
  };
  const batch = new Batch(new TestVideoStream(options).next(DATA_PACKETS * SHARD_PAYLOAD_BYTES));
  const reassembler = new VideoReassembler({
    ...options,
    frameBytesMax: 8 * 1024 * 1024,
    ...(decodeBlock === undefined ? {} : { decodeBlock }),
    onFrame: () => {},
    onGap: ({ first }) => {
      throw new Error(`Cannot measure: frame ${first} was lost`);
    },
  });
  return () => batch.feed(reassembler, lostCount);
}

function openOpener(): () => void {
  const seal = { secrets: SECRETS, counter: new SealCounter() };
  const stream = new TestVideoStream({
    terms: TERMS,
    shardPayloadBytes: SHARD_PAYLOAD_BYTES,
    shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
    seal,
  });
  const datagrams = stream.next(DATA_PACKETS * SHARD_PAYLOAD_BYTES);
  return () => {
    const opener = new VideoOpener(SECRETS);
    for (const datagram of datagrams) opener.open(datagram);
  };
}

export async function benchReceive(): Promise<BenchRow[]> {
  using rebuilder = new BlockRebuilder();
  const natively = (block: LossyBlock) => rebuilder.rebuild(block);
  return await runBench(
    "Receive a native frame of 250 + 25 packets of 1408 bytes",
    [
      { name: "reassembled", run: openReceiver(0) },
      { name: "reassembled, 1 packet rebuilt natively", run: openReceiver(1, natively) },
      { name: "reassembled, 25 packets rebuilt natively", run: openReceiver(25, natively) },
      { name: "reassembled, 1 packet rebuilt by reference", run: openReceiver(1) },
      { name: "opened only", run: openOpener() },
    ],
    { rounds: 60, bytes: DATA_PACKETS * SHARD_PAYLOAD_BYTES },
  );
}

if (import.meta.main) console.log(formatRows(await benchReceive()));
