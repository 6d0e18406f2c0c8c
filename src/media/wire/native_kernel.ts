/**
 * The wire kernel and packet stream over native/wire.
 *
 * @module
 */
import { FrameKernel, PacketStreamHandle } from "../../../ffi/wire_frame.ts";
import type { NativeBytes } from "../native_bytes.ts";
import { checkJob, checkPacket, checkStreamSpec } from "./job_check.ts";
import type {
  Pacing,
  PacketStream,
  PacketStreamSpec,
  SendResult,
  SocketAddress,
  UdpSocketHandle,
  WireJob,
  WireKernel,
} from "./kernel.ts";

export interface NativeKernelOptions {
  /**
   * Test loss: about so many packets in a hundred are sealed and then not sent, 0…90; always the same ones. They count as
   * sent, like those that are lost on their way.
   */
  readonly dropPercent?: number;
}

/** Any number: what is dropped must only be the same in each run. */
const DROP_SEED = 1n;

/** Throws OperationError "missing-library" where the shim is not built. */
export function openNativeKernel({ dropPercent = 0 }: NativeKernelOptions = {}): WireKernel {
  return new NativeKernel(dropPercent);
}

export function openNativePacketStream(spec: PacketStreamSpec): PacketStream {
  checkStreamSpec(spec);
  return new NativePacketStream(spec);
}

function sizeOf(bytes: NativeBytes | Uint8Array): number {
  return bytes instanceof Uint8Array ? bytes.byteLength : bytes.sizeBytes;
}

class NativeKernel implements WireKernel {
  readonly #kernel = new FrameKernel();
  readonly description: string;

  constructor(dropPercent: number) {
    const loss = dropPercent === 0 ? "" : `, ${dropPercent} % dropped for testing`;
    this.description = `native (${this.#kernel.level})${loss}`;
    try {
      this.#kernel.setDrop({ percent: dropPercent, seed: DROP_SEED });
    } catch (error) {
      this.#kernel.close();
      throw error;
    }
  }

  build(job: WireJob, au: NativeBytes | Uint8Array): Uint8Array<ArrayBuffer> {
    const datagrams = new Uint8Array(checkJob(job, sizeOf(au)) * job.packetCount);
    this.#kernel.build(job, au, datagrams);
    return datagrams;
  }

  send(
    job: WireJob,
    au: NativeBytes | Uint8Array,
    options: {
      readonly socket: UdpSocketHandle;
      readonly destination: SocketAddress;
      readonly pacing: Pacing;
    },
  ): SendResult {
    const datagramSizeBytes = checkJob(job, sizeOf(au));
    const refusedPackets = this.#kernel.send(job, au, options);
    return {
      packetCount: job.packetCount,
      bytes: datagramSizeBytes * job.packetCount,
      refusedPackets,
    };
  }

  close(): void {
    this.#kernel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

type PacketOptions = Parameters<PacketStream["build"]>[1];

class NativePacketStream implements PacketStream {
  readonly #spec: PacketStreamSpec;
  readonly #stream: PacketStreamHandle;

  constructor(spec: PacketStreamSpec) {
    this.#spec = spec;
    this.#stream = new PacketStreamHandle(spec);
  }

  build(payload: NativeBytes | Uint8Array, options: PacketOptions): Uint8Array<ArrayBuffer>[] {
    const { dataSizeBytes, paritySizeBytes } = this.#sizes(payload, options);
    const out = new Uint8Array(dataSizeBytes + paritySizeBytes * this.#spec.parityCount);
    const count = this.#stream.build(payload, options, out);
    return Array.from({ length: count }, (_, index) => {
      const from = index === 0 ? 0 : dataSizeBytes + (index - 1) * paritySizeBytes;
      return out.slice(from, from + (index === 0 ? dataSizeBytes : paritySizeBytes));
    });
  }

  send(
    payload: NativeBytes | Uint8Array,
    options: PacketOptions & {
      readonly socket: UdpSocketHandle;
      readonly destination: SocketAddress;
    },
  ): SendResult {
    const { dataSizeBytes, paritySizeBytes } = this.#sizes(payload, options);
    const { packetCount, refusedPackets } = this.#stream.send(payload, options);
    const bytes = dataSizeBytes + (packetCount - 1) * paritySizeBytes;
    return { packetCount, bytes, refusedPackets };
  }

  #sizes(
    payload: NativeBytes | Uint8Array,
    options: PacketOptions,
  ): { readonly dataSizeBytes: number; readonly paritySizeBytes: number } {
    const sentSizeBytes = checkPacket(this.#spec, {
      ...options,
      payloadSizeBytes: sizeOf(payload),
    });
    const parityHeaderSizeBytes = options.parityHeaders.byteLength /
      Math.max(1, this.#spec.parityCount);
    return {
      dataSizeBytes: options.header.byteLength + sentSizeBytes,
      paritySizeBytes: parityHeaderSizeBytes + sentSizeBytes,
    };
  }

  close(): void {
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
