/**
 * Binding of native/opus: multistream encoder and decoder.
 *
 * @module
 */
import { NativeError, OperationError } from "../src/lib/errors.ts";
import { openShim } from "./library.ts";

export const ABI = 1;

export const SYMBOLS = {
  pf_opus_abi: { parameters: [], result: "u32" },
  pf_opus_encoder_open: {
    parameters: [
      "buffer", // const struct pf_opus_config *config
      "usize", // size_t config_len
      "buffer", // struct pf_opus_encoder **out
    ],
    result: "i32",
  },
  pf_opus_encode: {
    parameters: [
      "pointer", // struct pf_opus_encoder *encoder
      "pointer", // const float *pcm
      "usize", // size_t pcm_len
      "buffer", // uint8_t *packet
      "usize", // size_t packet_len
    ],
    result: "i32",
  },
  pf_opus_encoder_close: {
    parameters: [
      "pointer", // struct pf_opus_encoder *encoder
    ],
    result: "void",
  },
  pf_opus_decoder_open: {
    parameters: [
      "buffer", // const struct pf_opus_config *config
      "usize", // size_t config_len
      "buffer", // struct pf_opus_decoder **out
    ],
    result: "i32",
  },
  pf_opus_decode: {
    parameters: [
      "pointer", // struct pf_opus_decoder *decoder
      "buffer", // const uint8_t *packet
      "usize", // size_t packet_len
      "buffer", // float *pcm
      "usize", // size_t pcm_len
    ],
    result: "i32",
  },
  pf_opus_decoder_close: {
    parameters: [
      "pointer", // struct pf_opus_decoder *decoder
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const CONFIG_SIZE_BYTES = 28;
const CHANNELS_MAX = 8;
/** PF_OPUS_PACKET_SIZE_MAX of opus.h. */
const PACKET_SIZE_BYTES_MAX = 10_232;

const FAILURES: Readonly<Record<number, string>> = {
  [-1]: "an argument is outside its limits",
  [-2]: "there is no memory",
  [-3]: "libopus refused",
  [-4]: "the packet is damaged or of another layout",
};

export interface OpusConfig {
  readonly channels: number;
  readonly streams: number;
  readonly coupledStreams: number;
  /** For each channel, the decoded stream channel that feeds it. */
  readonly mapping: readonly number[];
  /** Of all streams together, 16 000…4 096 000. */
  readonly bitrateBps: number;
  /** Per channel: 240 or 480. */
  readonly frameSamples: number;
}

/** Sound in native memory: interleaved 32-bit float. */
export interface OpusSound {
  readonly pointer: Deno.PointerObject;
  readonly sizeBytes: number;
}

type OpusLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

export class OpusEncoder implements Disposable {
  readonly #library: OpusLibrary;
  #handle: Deno.PointerValue = null;
  readonly #packet = new Uint8Array(PACKET_SIZE_BYTES_MAX);

  /** Throws OperationError "missing-library", or NativeError when a field of `config` is outside its limits. */
  constructor(config: OpusConfig) {
    this.#library = openShim("opus", ABI, SYMBOLS);
    this.#handle = openHandle(this.#library, "pf_opus_encoder_open", config);
  }

  /** Encode exactly one frame. The packet is the encoder's memory, valid until the next call. */
  encode(sound: OpusSound): Uint8Array<ArrayBuffer> {
    const size = check(this.#library.symbols.pf_opus_encode(
      opened(this.#handle),
      sound.pointer,
      BigInt(sound.sizeBytes),
      this.#packet,
      BigInt(PACKET_SIZE_BYTES_MAX),
    ));
    return this.#packet.subarray(0, size);
  }

  close(): void {
    if (this.#handle === null) return;
    this.#library.symbols.pf_opus_encoder_close(this.#handle);
    this.#handle = null;
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export class OpusDecoder implements Disposable {
  readonly #library: OpusLibrary;
  #handle: Deno.PointerValue = null;
  readonly #sound: Float32Array<ArrayBuffer>;

  /** `config.bitrateBps` is not looked at. Throws as {@link OpusEncoder} does. */
  constructor(config: OpusConfig) {
    this.#library = openShim("opus", ABI, SYMBOLS);
    this.#handle = openHandle(this.#library, "pf_opus_decoder_open", config);
    this.#sound = new Float32Array(config.channels * config.frameSamples);
  }

  /**
   * Decode one packet; an empty one stands for a lost packet and is concealed. The sound is the decoder's memory, valid
   * until the next call. Throws NativeError -4 when the packet is not one of this layout and duration.
   */
  decode(packet: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    check(this.#library.symbols.pf_opus_decode(
      opened(this.#handle),
      packet,
      BigInt(packet.byteLength),
      this.#sound,
      BigInt(this.#sound.byteLength),
    ));
    return this.#sound;
  }

  close(): void {
    if (this.#handle === null) return;
    this.#library.symbols.pf_opus_decoder_close(this.#handle);
    this.#handle = null;
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openHandle(
  library: OpusLibrary,
  symbol: "pf_opus_encoder_open" | "pf_opus_decoder_open",
  config: OpusConfig,
): Deno.PointerValue {
  try {
    const out = new BigUint64Array(1);
    check(library.symbols[symbol](encodeConfig(config), BigInt(CONFIG_SIZE_BYTES), out));
    return Deno.UnsafePointer.create(out[0] ?? 0n);
  } catch (error) {
    library.close();
    throw error;
  }
}

function encodeConfig(config: OpusConfig): Uint8Array<ArrayBuffer> {
  if (config.mapping.length !== config.channels || config.channels > CHANNELS_MAX) {
    throw new NativeError(
      "opus",
      -1,
      `Cannot use Opus: ${config.mapping.length} mapping entries for ${config.channels} channels`,
    );
  }
  const bytes = new Uint8Array(CONFIG_SIZE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, config.channels, true);
  view.setUint32(4, config.streams, true);
  view.setUint32(8, config.coupledStreams, true);
  view.setUint32(12, config.bitrateBps, true);
  view.setUint32(16, config.frameSamples, true);
  bytes.set(config.mapping, 20);
  return bytes;
}

function opened(handle: Deno.PointerValue): Deno.PointerObject {
  if (handle === null) throw new OperationError("failed", "Cannot use Opus: it is closed");
  return handle;
}

function check(status: number): number {
  if (status >= 0) return status;
  const reason = FAILURES[status] ?? `status ${status}`;
  throw new NativeError("opus", status, `Cannot use Opus: ${reason}`);
}
