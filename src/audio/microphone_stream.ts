/**
 * A client's voice into a virtual microphone: Opus packets in, sound out, one packet at a time and without a queue.
 *
 *     packet (sequence number) → late or double: dropped → gap: concealed → decoder → MicrophoneSink
 *
 * The sink opens with the first packet, so that a client that never speaks leaves no microphone in anybody's list.
 *
 * @module
 */
import { OpusDecoder } from "../../ffi/opus.ts";
import { NativeError } from "../lib/errors.ts";
import { opusPacketSamples } from "./opus_packet.ts";
import type { MicrophoneSink } from "./ports.ts";

/** What the client has lost longer ago than this is not worth inventing. */
const CONCEALED_PACKETS_MAX = 5;
/** Further behind than this is not late: the client counts anew, as after a change of its microphone. */
const LATE_PACKETS_MAX = 1024;
const CHANNELS = 2;

export interface VoicePacket {
  /** Counts up by one a packet, 32 bits, wrapping. */
  readonly sequence: number;
  /** Empty: the client is silent on purpose. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

export class MicrophoneStream implements Disposable {
  readonly #openSink: () => MicrophoneSink;
  #sink: MicrophoneSink | undefined;
  #decoder: OpusDecoder | undefined;
  #frameSamples = 0;
  #lastSequence: number | undefined;
  #isClosed = false;

  /** `openSink` gives a sink of two channels; what it throws reaches the caller of `accept`. */
  constructor(openSink: () => MicrophoneSink) {
    this.#openSink = openSink;
  }

  /**
   * Throws OperationError when the microphone cannot be made or is gone. Bytes that are no Opus are dropped, and so is
   * what arrives after the end.
   */
  accept({ sequence, payload }: VoicePacket): void {
    const ahead = this.#lastSequence === undefined ? 1 : (sequence - this.#lastSequence) | 0;
    if (this.#isClosed || (ahead <= 0 && ahead >= -LATE_PACKETS_MAX)) return;
    this.#lastSequence = sequence;
    const samples = opusPacketSamples(payload);
    if (samples === undefined) return;
    this.#sink ??= this.#openSink();
    if (samples !== this.#frameSamples) this.#openDecoder(samples);
    const lost = Math.min(ahead - 1, CONCEALED_PACKETS_MAX);
    for (let i = 0; i < lost; i++) this.#play(new Uint8Array(0));
    this.#play(payload);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#decoder?.close();
    this.#sink?.close();
    this.#decoder = undefined;
    this.#sink = undefined;
  }

  #openDecoder(frameSamples: number): void {
    this.#decoder?.close();
    this.#decoder = new OpusDecoder({
      channels: CHANNELS,
      streams: 1,
      coupledStreams: 1,
      mapping: [0, 1],
      bitrateBps: 0,
      frameSamples,
    });
    this.#frameSamples = frameSamples;
  }

  #play(packet: Uint8Array<ArrayBuffer>): void {
    let sound: Float32Array<ArrayBuffer> | undefined;
    try {
      sound = this.#decoder?.decode(packet);
    } catch (error) {
      if (error instanceof NativeError) return;
      throw error;
    }
    const pointer = sound === undefined ? null : Deno.UnsafePointer.of(sound);
    if (sound === undefined || pointer === null) return;
    this.#sink?.write({ pointer, sizeBytes: sound.byteLength });
  }
}
