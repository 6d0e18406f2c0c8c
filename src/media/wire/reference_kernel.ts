/**
 * The wire kernel in plain TypeScript: what native/wire is held against. It builds and has no socket.
 *
 * @module
 */
import { createCipheriv } from "node:crypto";
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { cauchyCode, encodeParity } from "../../protocol/fec/gf256.ts";
import { encodeLeopard16 } from "../../protocol/fec/leopard16.ts";
import { copyNativeBytes, type NativeBytes } from "../native_bytes.ts";
import { checkJob, checkPacket, checkStreamSpec, TAG_SIZE_BYTES } from "./job_check.ts";
import type {
  PacketStream,
  PacketStreamSpec,
  SealRule,
  WireJob,
  WireKernelCore,
} from "./kernel.ts";

export function createReferenceKernel(): WireKernelCore {
  return { build: buildFrame };
}

export type PacketStreamCore = Pick<PacketStream, "build">;

export function createReferencePacketStream(spec: PacketStreamSpec): PacketStreamCore {
  checkStreamSpec(spec);
  return new ReferencePacketStream(spec);
}

function bytesOf(bytes: NativeBytes | Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : copyNativeBytes(bytes);
}

function buildFrame(job: WireJob, au: NativeBytes | Uint8Array): Uint8Array<ArrayBuffer> {
  const unit = bytesOf(au);
  const datagramSizeBytes = checkJob(job, unit.byteLength);
  const datagrams = new Uint8Array(job.packetCount * datagramSizeBytes);
  const { seal } = job;
  planeShards(job, concatBytes(job.prologue, unit)).forEach((shard, index) => {
    const datagram = seal === null ? shard : sealShard(shard, {
      seal,
      prefix: job.sealPrefix,
      counter: job.sealCounter + BigInt(index),
    });
    datagrams.set(datagram, index * datagramSizeBytes);
  });
  return datagrams;
}

/** Every shard with its final header, in send order. */
function planeShards(job: WireJob, stream: Uint8Array): Uint8Array[] {
  const payloadSizeBytes = job.shardSizeBytes - job.headerSizeBytes;
  const blocks = job.blocks.slice(0, job.blockCount);
  let sliced = 0;
  const built = blocks.map(({ dataCount, parityCount }) => {
    const data = Array.from({ length: dataCount }, () => {
      const from = sliced++ * payloadSizeBytes;
      const shard = new Uint8Array(job.shardSizeBytes);
      shard.set(stream.subarray(from, from + payloadSizeBytes), job.headerSizeBytes);
      return shard;
    });
    return { data, parityCount };
  });
  // Headers count in send order, so each data shard's must be known before its block's parity.
  const dataTotal = sliced;
  let dataIndex = 0;
  let parityIndex = dataTotal;
  const ordered: Uint8Array[] = [];
  for (const { data, parityCount } of built) {
    if (job.order === "block") parityIndex = dataIndex + data.length;
    const headers = data.map((_, index) => headerOf(job, dataIndex + index));
    data.forEach((shard, index) => overlay(shard, headers[index], job.dataHeaderMask));
    const parity = parityOf(job, { data, parityCount });
    data.forEach((shard, index) => {
      shard.set(headers[index] ?? []);
      ordered[dataIndex + index] = shard;
    });
    parity.forEach((shard, index) => {
      overlay(shard, headerOf(job, parityIndex + index), job.parityHeaderMask);
      ordered[parityIndex + index] = shard;
    });
    parityIndex += parityCount;
    dataIndex = job.order === "block" ? parityIndex : dataIndex + data.length;
  }
  return ordered;
}

function headerOf(job: WireJob, packet: number): Uint8Array {
  const from = packet * job.headerSizeBytes;
  return job.headers.subarray(from, from + job.headerSizeBytes);
}

/** Take the bits that `mask` sets from `header`, leave the others. */
function overlay(shard: Uint8Array, header: Uint8Array | undefined, mask: Uint8Array): void {
  mask.forEach((bits, index) => {
    shard[index] = ((shard[index] ?? 0) & ~bits) | ((header?.[index] ?? 0) & bits);
  });
}

function parityOf(
  job: WireJob,
  { data, parityCount }: { readonly data: readonly Uint8Array[]; readonly parityCount: number },
): Uint8Array[] {
  if (parityCount === 0) return [];
  const covered = data.map((shard) => shard.subarray(job.fecOffsetBytes));
  const encoded = job.fieldBits === 16
    ? encodeLeopard16(covered, parityCount)
    : encodeParity(covered, cauchyCode(data.length, parityCount));
  return encoded.map((parity) => {
    const shard = new Uint8Array(job.shardSizeBytes);
    shard.set(parity, job.fecOffsetBytes);
    return shard;
  });
}

function sealShard(
  shard: Uint8Array,
  { seal, prefix, counter }: {
    readonly seal: SealRule;
    readonly prefix: Uint8Array;
    readonly counter: bigint;
  },
): Uint8Array {
  const nonce = Uint8Array.from(seal.nonceTemplate);
  viewOf(nonce).setBigUint64(seal.nonceCounterOffset, counter, !seal.isNonceCounterBigEndian);
  const head = Uint8Array.from(prefix);
  head.set(
    nonce.subarray(seal.prefixNonceFrom, seal.prefixNonceFrom + seal.prefixNonceLength),
  );
  // One literal each: the type of the cipher depends on the name.
  const cipher = seal.cipher === "aes-128-gcm"
    ? createCipheriv("aes-128-gcm", seal.key, nonce)
    : createCipheriv("chacha20-poly1305", seal.key, nonce, { authTagLength: TAG_SIZE_BYTES });
  const aad = head.subarray(0, seal.aadSizeBytes);
  if (aad.byteLength > 0) cipher.setAAD(aad, { plaintextLength: shard.byteLength });
  const ciphertext = concatBytes(cipher.update(shard), cipher.final());
  const tag = cipher.getAuthTag();
  if (seal.tagOffset < 0) return concatBytes(head, ciphertext, tag);
  head.set(tag, seal.tagOffset);
  return concatBytes(head, ciphertext);
}

class ReferencePacketStream implements PacketStreamCore {
  readonly #spec: PacketStreamSpec;
  #group: Uint8Array[] = [];

  constructor(spec: PacketStreamSpec) {
    this.#spec = spec;
  }

  build(
    payload: NativeBytes | Uint8Array,
    options: Parameters<PacketStream["build"]>[1],
  ): Uint8Array<ArrayBuffer>[] {
    const { dataCount, parityCount, parityMatrix, cbcKey } = this.#spec;
    const plain = bytesOf(payload);
    checkPacket(this.#spec, { ...options, payloadSizeBytes: plain.byteLength });
    let sent = plain;
    if (cbcKey !== null && options.iv !== null) {
      const cipher = createCipheriv("aes-128-cbc", cbcKey, options.iv);
      sent = concatBytes(cipher.update(plain), cipher.final());
    }
    const datagrams = [concatBytes(options.header, sent)];
    this.#group.push(sent.slice());
    if (this.#group.length < dataCount) return datagrams;
    const group = this.#group;
    this.#group = [];
    if (group.some((member) => member.byteLength !== sent.byteLength)) return datagrams;
    const headerSizeBytes = options.parityHeaders.byteLength / Math.max(1, parityCount);
    const code = { dataCount, parityCount, matrix: parityMatrix };
    encodeParity(group, code).forEach((parity, index) => {
      const from = index * headerSizeBytes;
      const header = options.parityHeaders.subarray(from, from + headerSizeBytes);
      datagrams.push(concatBytes(header, parity));
    });
    return datagrams;
  }
}
