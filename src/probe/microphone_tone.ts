/**
 * A sine as the client's voice: Opus of 10 ms, one channel (punktfunk/1 specification 7.4).
 *
 * @module
 */
import { OpusEncoder } from "../../ffi/opus.ts";
import { OperationError } from "../lib/errors.ts";
import { encodeAudio } from "../protocol/punktfunk1/datagrams/audio.ts";

const RATE_HZ = 48_000;
const FRAME_SAMPLES = 480;
const FRAME_US = 10_000;
const BITRATE_BPS = 48_000;
const AMPLITUDE = 0.25;
/** After a stall the tone goes on from now instead of catching up. */
const BEHIND_FRAMES_MAX = 10;

export interface MicrophoneToneOptions {
  readonly toneHz: number;
  readonly send: (datagram: Uint8Array<ArrayBuffer>) => void;
  /** Nanoseconds since 1970. */
  readonly nowNs: () => bigint;
}

export class MicrophoneTone implements Disposable {
  readonly #options: MicrophoneToneOptions;
  readonly #encoder = new OpusEncoder({
    channels: 1,
    streams: 1,
    coupledStreams: 0,
    mapping: [0],
    bitrateBps: BITRATE_BPS,
    frameSamples: FRAME_SAMPLES,
  });
  readonly #sound = new Float32Array(FRAME_SAMPLES);
  #sequence = 0;
  #nextAtUs: number | undefined;

  /** Throws OperationError "missing-library" without native/opus. */
  constructor(options: MicrophoneToneOptions) {
    this.#options = options;
  }

  /** Packets sent. */
  get count(): number {
    return this.#sequence;
  }

  /** Send what is due. */
  tick(nowUs: number): void {
    let dueUs = this.#nextAtUs ?? nowUs;
    if (nowUs - dueUs > BEHIND_FRAMES_MAX * FRAME_US) dueUs = nowUs;
    for (; dueUs <= nowUs; dueUs += FRAME_US) this.#sendFrame();
    this.#nextAtUs = dueUs;
  }

  [Symbol.dispose](): void {
    this.#encoder.close();
  }

  #sendFrame(): void {
    const { toneHz, nowNs, send } = this.#options;
    const first = this.#sequence * FRAME_SAMPLES;
    for (let index = 0; index < FRAME_SAMPLES; index++) {
      const phase = 2 * Math.PI * toneHz * (first + index) / RATE_HZ;
      this.#sound[index] = AMPLITUDE * Math.sin(phase);
    }
    const pointer = Deno.UnsafePointer.of(this.#sound);
    if (pointer === null) throw new OperationError("failed", "Cannot make a tone: no memory");
    const payload = this.#encoder.encode({ pointer, sizeBytes: this.#sound.byteLength });
    send(encodeAudio({ sequence: this.#sequence++, ptsNs: nowNs(), payload }, "microphone"));
  }
}
