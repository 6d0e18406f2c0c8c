/**
 * Sound as it arrives: counted, mended by its copies, and decoded into a file when there is one (punktfunk/1 specification
 * 7.2 … 7.4).
 *
 *     c9, d2 → order and copies → Opus → file       d3 → file       a packet that never came is concealed
 *
 * @module
 */
import { OpusDecoder } from "../../ffi/opus.ts";
import { NativeError } from "../lib/errors.ts";
import type { AudioPacket, RedundantAudioPacket } from "../protocol/punktfunk1/datagrams/audio.ts";
import { AudioGapFiller } from "../protocol/punktfunk1/datagrams/audio_redundancy.ts";
import { soundLayoutOf } from "../protocol/punktfunk1/sound_layouts.ts";
import type { Welcome } from "../protocol/punktfunk1/welcome.ts";
import { encodeSamples, WaveFile } from "./wave_file.ts";

const OPUS_RATE_HZ = 48_000;
/** 5 ms. */
const OPUS_FRAME_SAMPLES = 240;
/** A hole that is longer is left out of the file. */
const CONCEALED_PACKETS_MAX = 200;

type SoundTerms = Pick<
  Welcome,
  "audioCodec" | "audioChannels" | "audioLayout" | "audioRateHz" | "audioBits"
>;

/** Counters since the start. */
export interface SoundStats {
  packets: number;
  bytes: number;
  /** Datagrams that came too late or twice. */
  stale: number;
  /** Packets played from the copy in the next one. */
  recovered: number;
  /** Deliberate silence. */
  silent: number;
  /** Packets that no decoder took. */
  damaged: number;
  /** Greatest sample of what was decoded, 0…1. */
  peak: number;
}

export class SoundReceiver implements Disposable {
  readonly stats: SoundStats = {
    packets: 0,
    bytes: 0,
    stale: 0,
    recovered: 0,
    silent: 0,
    damaged: 0,
    peak: 0,
  };
  readonly #order = new AudioGapFiller();
  readonly #file: WaveFile | undefined;
  readonly #decoder: OpusDecoder | undefined;
  #lastSequence: number | undefined;

  /** `path` undefined only counts. Throws OperationError when the file or the decoder cannot be opened. */
  constructor(terms: SoundTerms, path: string | undefined) {
    if (path === undefined) return;
    const isOpus = terms.audioCodec === "opus";
    const { audioChannels: channels } = terms;
    this.#file = WaveFile.create(path, {
      channels,
      rateHz: isOpus ? OPUS_RATE_HZ : terms.audioRateHz,
      bits: isOpus ? 16 : terms.audioBits,
    });
    if (!isOpus) return;
    const { layout: _number, ...layout } = soundLayoutOf(terms.audioLayout, channels);
    this.#decoder = new OpusDecoder({
      ...layout,
      channels,
      bitrateBps: 0,
      frameSamples: OPUS_FRAME_SAMPLES,
    });
  }

  /** Packets that never came, neither themselves nor as a copy. */
  get lost(): number {
    return this.#order.missingCount;
  }

  accept(packet: AudioPacket | RedundantAudioPacket): void {
    this.stats.packets++;
    this.stats.bytes += packet.payload.byteLength;
    const playable = this.#order.receive(packet);
    if (playable.length === 0) this.stats.stale++;
    if (playable.length > 1) this.stats.recovered++;
    for (const one of playable) this.#play(one);
  }

  [Symbol.dispose](): void {
    this.#decoder?.close();
    this.#file?.close();
  }

  #play({ sequence, payload }: AudioPacket): void {
    const missing = this.#lastSequence === undefined
      ? 0
      : (sequence - this.#lastSequence - 1) >>> 0;
    this.#lastSequence = sequence;
    const isSilent = payload.byteLength === 0;
    if (isSilent) this.stats.silent++;
    if (this.#decoder === undefined) {
      if (!isSilent) this.#file?.write(payload);
      return;
    }
    for (let left = Math.min(missing, CONCEALED_PACKETS_MAX); left > 0; left--) {
      this.#decode(new Uint8Array(0));
    }
    this.#decode(payload.slice());
  }

  #decode(packet: Uint8Array<ArrayBuffer>): void {
    if (this.#decoder === undefined) return;
    try {
      const sound = this.#decoder.decode(packet);
      for (const sample of sound) this.stats.peak = Math.max(this.stats.peak, Math.abs(sample));
      this.#file?.write(encodeSamples(sound));
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      this.stats.damaged++;
    }
  }
}
