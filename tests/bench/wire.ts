/**
 * The wire kernel: FEC at every level of arithmetic, and the media path of one frame with its parts.
 *
 * @module
 */
import { UdpSocket } from "../../ffi/wire.ts";
import { FrameKernel, WIRE_LEVELS } from "../../ffi/wire_frame.ts";
import type { WireJob } from "../../src/media/wire/kernel.ts";
import { createReferenceKernel } from "../../src/media/wire/reference_kernel.ts";
import { cauchyCode, encodeParity } from "../../src/protocol/fec/gf256.ts";
import { gamestreamSeal } from "../unit/media/wire/jobs.ts";
import { type BenchRow, type BenchVariant, formatRows, runBench } from "./bench.ts";

const FEC = { fieldBits: 8, data: 212, parity: 43, shardSizeBytes: 1344 } as const;

function randomBytes(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65536, sizeBytes)));
  }
  return bytes;
}

async function benchParity(): Promise<BenchRow[]> {
  using kernel = new FrameKernel();
  const data = randomBytes(FEC.data * FEC.shardSizeBytes);
  const best = kernel.level;
  const levels = WIRE_LEVELS.filter((level) => kernel.setLevel(level)).reverse();
  const variants: BenchVariant[] = levels.map((level) => ({
    name: `native (${level})${level === best ? ", chosen here" : ""}`,
    run() {
      kernel.setLevel(level);
      kernel.parity(data, FEC);
    },
  }));
  const shards = Array.from(
    { length: FEC.data },
    (_, index) => data.subarray(index * FEC.shardSizeBytes, (index + 1) * FEC.shardSizeBytes),
  );
  const code = cauchyCode(FEC.data, FEC.parity);
  variants.push({ name: "reference", run: () => void encodeParity(shards, code) });
  return await runBench("FEC: 212 + 43 shards of 1344 bytes", variants, {
    rounds: 25,
    bytes: data.byteLength,
  });
}

const FRAME_SIZE_BYTES = 170_000;
const SHARD_SIZE_BYTES = 1408;
const HEADER_SIZE_BYTES = 32;

function frameJob(options: { readonly hasParity: boolean; readonly isSealed: boolean }): WireJob {
  const payloadSizeBytes = SHARD_SIZE_BYTES - HEADER_SIZE_BYTES;
  const dataCount = Math.ceil((8 + FRAME_SIZE_BYTES) / payloadSizeBytes);
  const parityCount = options.hasParity ? Math.ceil(dataCount / 5) : 0;
  const packetCount = dataCount + parityCount;
  return {
    shardSizeBytes: SHARD_SIZE_BYTES,
    headerSizeBytes: HEADER_SIZE_BYTES,
    headers: randomBytes(packetCount * HEADER_SIZE_BYTES),
    packetCount,
    prologue: randomBytes(8),
    auSizeBytes: FRAME_SIZE_BYTES,
    blocks: [{ dataCount, parityCount }],
    blockCount: 1,
    fieldBits: 8,
    order: "block",
    fecOffsetBytes: 0,
    dataHeaderMask: new Uint8Array(HEADER_SIZE_BYTES).fill(0xff, 16, 28),
    parityHeaderMask: new Uint8Array(HEADER_SIZE_BYTES).fill(0xff, 0, 16),
    seal: options.isSealed ? gamestreamSeal(randomBytes(16)) : null,
    sealCounter: 1n,
    sealPrefix: new Uint8Array(options.isSealed ? 32 : 0),
  };
}

async function benchFrame(): Promise<BenchRow[]> {
  using kernel = new FrameKernel();
  await using from = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  await using to = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  const au = randomBytes(FRAME_SIZE_BYTES);
  const options = {
    socket: from.handle,
    destination: { address: "127.0.0.1", port: to.port },
    pacing: { burstBytesMax: 65536, burstPacketsMax: 64, rateBytesPerSecond: 0 },
  };
  const building = (name: string, job: WireJob): BenchVariant => {
    const datagramSizeBytes = job.shardSizeBytes + job.sealPrefix.byteLength;
    const out = new Uint8Array(job.packetCount * datagramSizeBytes);
    return { name, run: () => kernel.build(job, au, out) };
  };
  const sending = (name: string, job: WireJob, mode: "gso" | "batch" | "single"): BenchVariant => ({
    name,
    run() {
      kernel.setSendMode(mode);
      kernel.send(job, au, options);
    },
    async cleanUp() {
      while (await to.receive(0) !== null);
    },
  });
  const plain = frameJob({ hasParity: true, isSealed: false });
  const sealed = frameJob({ hasParity: true, isSealed: true });
  const reference = createReferenceKernel();
  const rows = await runBench("Frame of 170 kB in 1408-byte shards, FEC 20 %", [
    sending("sealed, sent by gso", sealed, "gso"),
    sending("sealed, sent by sendmmsg", sealed, "batch"),
    sending("sealed, sent by sendmsg", sealed, "single"),
    sending("plain, sent by gso", plain, "gso"),
    building("sliced only", frameJob({ hasParity: false, isSealed: false })),
    building("plain, built", plain),
    building("sealed, built", sealed),
    { name: "sealed, built by reference", run: () => void reference.build(sealed, au) },
  ], { rounds: 100, bytes: FRAME_SIZE_BYTES });
  return [...rows, ...partsOf(rows)];
}

/** What each stage of the sealed frame costs, as differences of the medians. */
function partsOf(rows: readonly BenchRow[]): BenchRow[] {
  const p50 = (name: string) => rows.find((row) => row.name === name)?.p50Us ?? 0;
  const whole = p50("sealed, sent by gso");
  const parts = [
    ["slice and headers", p50("sliced only")],
    ["parity", p50("plain, built") - p50("sliced only")],
    ["seal", p50("sealed, built") - p50("plain, built")],
    ["send", whole - p50("sealed, built")],
  ] as const;
  return parts.map(([name, p50Us]) => ({
    group: "Parts of the sealed frame sent by gso",
    name,
    p50Us,
    p99Us: null,
    gigabytesPerSecond: null,
    ratio: p50Us / whole,
  }));
}

export async function benchWire(): Promise<BenchRow[]> {
  return [...await benchParity(), ...await benchFrame()];
}

if (import.meta.main) console.log(formatRows(await benchWire()));
