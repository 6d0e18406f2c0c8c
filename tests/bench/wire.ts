/**
 * The wire kernel: FEC at every level of arithmetic, and the media path of one frame of each plane with its parts.
 *
 * @module
 */
import { UdpSocket } from "../../ffi/wire.ts";
import { FrameKernel, WIRE_LEVELS } from "../../ffi/wire_frame.ts";
import type { WireJob } from "../../src/media/wire/kernel.ts";
import { createReferenceKernel } from "../../src/media/wire/reference_kernel.ts";
import { cauchyCode, encodeParity } from "../../src/protocol/fec/gf256.ts";
import { encodeLeopard16 } from "../../src/protocol/fec/leopard16.ts";
import { VideoPacketiser } from "../../src/protocol/punktfunk1/video_packetiser.ts";
import { SealCounter } from "../../src/protocol/punktfunk1/video_seal.ts";
import {
  mintWelcomeSecrets,
  sealSecretsOf,
} from "../../src/protocol/punktfunk1/welcome_secrets.ts";
import type { SealCipher } from "../../src/protocol/wire_job.ts";
import { gamestreamSeal } from "../unit/media/wire/jobs.ts";
import { type BenchRow, type BenchVariant, formatRows, runBench } from "./bench.ts";

/** The reference and the scalar level take up to 100 ms for the largest. */
const CODES = [
  { fieldBits: 8, data: 212, parity: 43, shardSizeBytes: 1344, rounds: 25 },
  { fieldBits: 16, data: 100, parity: 10, shardSizeBytes: 1408, rounds: 25 },
  { fieldBits: 16, data: 212, parity: 43, shardSizeBytes: 1408, rounds: 25 },
  { fieldBits: 16, data: 1000, parity: 100, shardSizeBytes: 1408, rounds: 15 },
  { fieldBits: 16, data: 5000, parity: 500, shardSizeBytes: 1408, rounds: 5 },
] as const;
/** Levels that GF(2^8) does not have arithmetic of its own for. */
const GF65536_LEVELS: readonly string[] = ["avx512", "neon"];

function randomBytes(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65536, sizeBytes)));
  }
  return bytes;
}

async function benchParity(code: (typeof CODES)[number]): Promise<BenchRow[]> {
  const { fieldBits, parity, shardSizeBytes, rounds } = code;
  using kernel = new FrameKernel();
  const data = randomBytes(code.data * shardSizeBytes);
  const out = new Uint8Array(parity * shardSizeBytes);
  const best = kernel.level;
  const levels = WIRE_LEVELS.filter((level) =>
    (fieldBits === 16 || !GF65536_LEVELS.includes(level)) && kernel.setLevel(level)
  ).reverse();
  const variants: BenchVariant[] = levels.map((level) => ({
    name: `native (${level})${level === best ? ", chosen here" : ""}`,
    run() {
      kernel.setLevel(level);
      kernel.parity(data, out, code);
    },
  }));
  const shards = Array.from(
    { length: code.data },
    (_, index) => data.subarray(index * shardSizeBytes, (index + 1) * shardSizeBytes),
  );
  variants.push({
    name: "reference",
    run: fieldBits === 16
      ? () => void encodeLeopard16(shards, parity)
      : () => void encodeParity(shards, cauchyCode(code.data, parity)),
  });
  const group =
    `FEC of GF(2^${fieldBits}): ${code.data} + ${parity} shards of ${shardSizeBytes} bytes`;
  return await runBench(group, variants, { rounds, bytes: data.byteLength });
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

const AT_ONCE = { burstBytesMax: 65536, burstPacketsMax: 64, rateBytesPerSecond: 0 };

/** What the variants of one frame are made with: a kernel, and a pair of sockets on loopback. */
class Stage implements AsyncDisposable {
  readonly kernel = new FrameKernel();
  readonly #from = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  readonly #to = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  readonly #options = {
    socket: this.#from.handle,
    destination: { address: "127.0.0.1", port: this.#to.port },
    pacing: AT_ONCE,
  };

  constructor(readonly au: Uint8Array<ArrayBuffer>) {}

  building(name: string, job: WireJob): BenchVariant {
    const datagramSizeBytes = job.shardSizeBytes + job.sealPrefix.byteLength +
      (job.seal?.tagOffset === -1 ? 16 : 0);
    const out = new Uint8Array(job.packetCount * datagramSizeBytes);
    return { name, run: () => this.kernel.build(job, this.au, out) };
  }

  sending(name: string, plan: () => WireJob, mode: "gso" | "batch" | "single"): BenchVariant {
    return {
      name,
      run: () => {
        this.kernel.setSendMode(mode);
        this.kernel.send(plan(), this.au, this.#options);
      },
      cleanUp: async () => {
        while (await this.#to.receive(0) !== null);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#from.close();
    await this.#to.close();
    this.kernel.close();
  }
}

async function benchFrame(): Promise<BenchRow[]> {
  const au = randomBytes(FRAME_SIZE_BYTES);
  await using stage = new Stage(au);
  const plain = frameJob({ hasParity: true, isSealed: false });
  const sealed = frameJob({ hasParity: true, isSealed: true });
  const reference = createReferenceKernel();
  const rows = await runBench("GameStream: frame of 170 kB in 1408-byte shards, FEC 20 %", [
    stage.sending("sealed, sent by gso", () => sealed, "gso"),
    stage.sending("sealed, sent by sendmmsg", () => sealed, "batch"),
    stage.sending("sealed, sent by sendmsg", () => sealed, "single"),
    stage.sending("plain, sent by gso", () => plain, "gso"),
    stage.building("sliced only", frameJob({ hasParity: false, isSealed: false })),
    stage.building("plain, built", plain),
    stage.building("sealed, built", sealed),
    { name: "sealed, built by reference", run: () => void reference.build(sealed, au) },
  ], { rounds: 100, bytes: FRAME_SIZE_BYTES });
  return [...rows, ...partsOf(rows)];
}

function packetiser(
  { percent, cipher }: { readonly percent: number; readonly cipher: SealCipher | null },
): VideoPacketiser {
  const seal = cipher && {
    secrets: sealSecretsOf(mintWelcomeSecrets(cipher, randomBytes)),
    counter: new SealCounter(),
  };
  return new VideoPacketiser({
    terms: { scheme: "gf65536", percent, blockDataShardsMax: 4096 },
    shardPayloadBytes: SHARD_SIZE_BYTES,
    shardPayloadCeilingBytes: SHARD_SIZE_BYTES,
    frameBytesMax: 64 * 1024 * 1024,
    seal,
    wallOffsetNs: 0n,
  });
}

async function benchNativeFrame(sizeBytes: number, rounds: number): Promise<BenchRow[]> {
  const au = randomBytes(sizeBytes);
  await using stage = new Stage(au);
  const facts = { sizeBytes, kind: "p", capturedAtUs: 0, nowUs: 0 } as const;
  const bare = packetiser({ percent: 0, cipher: null }).plan(facts);
  const plain = packetiser({ percent: 10, cipher: null }).plan(facts);
  const sealed = packetiser({ percent: 10, cipher: "aes-128-gcm" }).plan(facts);
  const planner = packetiser({ percent: 10, cipher: "aes-128-gcm" });
  const group = `punktfunk/1: frame of ${sizeBytes / 1000} kB in 1408-byte shards, FEC 10 %`;
  const rows = await runBench(group, [
    stage.sending("planned, sealed, sent by gso", () => planner.plan(facts), "gso"),
    stage.sending("sealed, sent by gso", () => sealed, "gso"),
    stage.sending("sealed, sent by sendmmsg", () => sealed, "batch"),
    { name: "planned only", run: () => void planner.plan(facts) },
    stage.building("sliced only", bare),
    stage.building("plain, built", plain),
    stage.building("sealed, built", sealed),
  ], { rounds, bytes: sizeBytes });
  return [...rows, ...partsOf(rows)];
}

/** Both ciphers over the same frame without parity, and what is left of each without the slicing. */
async function benchCiphers(): Promise<BenchRow[]> {
  const sizeBytes = 1000 * SHARD_SIZE_BYTES;
  const facts = { sizeBytes, kind: "p", capturedAtUs: 0, nowUs: 0 } as const;
  await using stage = new Stage(randomBytes(sizeBytes));
  const building = (name: string, cipher: SealCipher | null) =>
    stage.building(name, packetiser({ percent: 0, cipher }).plan(facts));
  const group = "punktfunk/1: 1000 packets of 1448 bytes";
  const [sliced, ...sealed] = await runBench(group, [
    building("sliced only", null),
    building("AES-128-GCM", "aes-128-gcm"),
    building("ChaCha20-Poly1305", "chacha20-poly1305"),
  ], { rounds: 100, bytes: sizeBytes });
  if (sliced === undefined) return [];
  const seals = sealed.map((row) => {
    const p50Us = row.p50Us - sliced.p50Us;
    return {
      ...row,
      name: `${row.name}, the seal alone`,
      p50Us,
      p99Us: null,
      gigabytesPerSecond: sizeBytes / p50Us / 1000,
      ratio: p50Us / sliced.p50Us,
    };
  });
  return [sliced, ...sealed, ...seals];
}

/** What each stage of the group's first variant costs, as differences of the medians. */
function partsOf(rows: readonly BenchRow[]): BenchRow[] {
  const p50 = (name: string) => rows.find((row) => row.name === name)?.p50Us ?? 0;
  const whole = rows[0]?.p50Us ?? 0;
  const parts = [
    ["plan headers", p50("planned only")],
    ["slice and headers", p50("sliced only")],
    ["parity", p50("plain, built") - p50("sliced only")],
    ["seal", p50("sealed, built") - p50("plain, built")],
    ["send", whole - p50("sealed, built") - p50("planned only")],
  ] as const;
  return parts.filter(([, p50Us]) => p50Us !== 0).map(([name, p50Us]) => ({
    group: `Parts of ${rows[0]?.group}`,
    name,
    p50Us,
    p99Us: null,
    gigabytesPerSecond: null,
    ratio: p50Us / whole,
  }));
}

export async function benchWire(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const code of CODES) rows.push(...await benchParity(code));
  rows.push(...await benchFrame());
  rows.push(...await benchNativeFrame(FRAME_SIZE_BYTES, 100));
  // A thousand data packets.
  rows.push(...await benchNativeFrame(1_408_000, 40));
  rows.push(...await benchCiphers());
  return rows;
}

if (import.meta.main) console.log(formatRows(await benchWire()));
