/**
 * The wire kernel: slices an access unit as a plane's packetiser planned it, computes parity, seals, and sends or
 * hands the datagrams back. It knows no protocol.
 *
 *     Packetiser.plan(AU facts) → WireJob → WireKernel.send(job, au, …)   one FFI call a frame
 *
 * Two implementations pass the same contract test and agree byte for byte: `native_kernel.ts` over native/wire, and
 * `reference_kernel.ts` in plain TypeScript, which has no socket and only builds.
 *
 * @module
 */
import type { SocketAddress, UdpSocketHandle } from "../../../ffi/wire.ts";
import type { NativeBytes } from "../native_bytes.ts";
import type { SealRule, WireJob } from "../../protocol/wire_job.ts";

export type { SocketAddress, UdpSocketHandle };

/**
 * Packets leave in bursts; after each the sender waits until the rate is met again, also before the next frame's first.
 * Rate 0 never waits, any other is at least 10 kB/s.
 */
export interface Pacing {
  readonly burstBytesMax: number;
  readonly burstPacketsMax: number;
  readonly rateBytesPerSecond: number;
}

export interface SendResult {
  /** Datagrams of the frame and their size in all, refused ones included. */
  readonly packetCount: number;
  readonly bytes: number;
  /** Datagrams the system refused (full buffer, unreachable). They count as lost; sending goes on. */
  readonly refusedPackets: number;
}

export interface WireKernelCore {
  /**
   * All datagrams of the frame, back to back in send order. A job outside the limits of `job_check.ts`, or one whose
   * blocks do not hold exactly the stream, is an OperationError "invalid".
   */
  build(job: WireJob, au: NativeBytes | Uint8Array): Uint8Array<ArrayBuffer>;
}

export interface WireKernel extends WireKernelCore, Disposable {
  /** "native (gfni)", "native (avx2)", …: which arithmetic was chosen. */
  readonly description: string;
  /** Send the frame from `socket` to `destination`. Blocks the thread while pacing, at most the frame's own time. */
  send(
    job: WireJob,
    au: NativeBytes | Uint8Array,
    options: {
      readonly socket: UdpSocketHandle;
      readonly destination: SocketAddress;
      readonly pacing: Pacing;
    },
  ): SendResult;
  close(): void;
}

/** How small packets with one FEC block over several of them are made; the audio of GameStream. */
export interface PacketStreamSpec {
  readonly dataCount: number;
  readonly parityCount: number;
  /** parityCount rows of dataCount GF(2^8) coefficients. */
  readonly parityMatrix: Uint8Array;
  /** AES-128-CBC with PKCS#7, or null. The IV is passed with each packet. */
  readonly cbcKey: Uint8Array | null;
}

/** One FEC group after another; the payloads of a group have equal size, else its parity is not sent. */
export interface PacketStream extends Disposable {
  /**
   * Send header ‖ payload, or header ‖ CBC(payload). After the last data packet of a group the parity packets
   * follow: `parityHeaders` holds parityCount headers of equal size and is read only then.
   */
  send(
    payload: NativeBytes | Uint8Array,
    options: {
      readonly header: Uint8Array;
      readonly iv: Uint8Array | null;
      readonly parityHeaders: Uint8Array;
      readonly socket: UdpSocketHandle;
      readonly destination: SocketAddress;
    },
  ): SendResult;
  /** The same datagrams, handed back instead of sent. */
  build(
    payload: NativeBytes | Uint8Array,
    options: {
      readonly header: Uint8Array;
      readonly iv: Uint8Array | null;
      readonly parityHeaders: Uint8Array;
    },
  ): Uint8Array<ArrayBuffer>[];
  close(): void;
}

export type { SealRule, WireJob };
