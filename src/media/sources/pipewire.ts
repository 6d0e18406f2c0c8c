/**
 * Sound of one sink of PipeWire, taken from its monitor.
 *
 * @module
 */
import { PipewireConnection } from "../../../ffi/pipewire.ts";
import type { AudioFrame, AudioSource, AudioSourceSpec } from "../ports.ts";

const SAMPLE_SIZE_BYTES = 4;

/**
 * Connect to the server of `spec` and start capturing. Throws OperationError "unavailable" or "missing-library".
 *
 * Silence flows at once and until the first sound comes. `next` throws OperationError "capture-lost" when the sink or the
 * server is gone; it takes at most 4800 samples per channel.
 */
export function openPipewireAudioSource(
  spec: Extract<AudioSourceSpec, { kind: "pipewire" }>,
): AudioSource {
  const connection = new PipewireConnection(spec.socketPath);
  try {
    connection.openStream("capture", spec.channels, {
      "media.type": "Audio",
      "media.category": "Capture",
      "media.name": `Stream of ${spec.sinkName}`,
      "node.name": `${spec.sinkName}.capture`,
      "node.description": "punktfunk capture",
      "stream.capture.sink": true,
      "target.object": spec.sinkName,
      // Better no sound than that of another sink, or of a microphone.
      "node.dont-reconnect": true,
      "node.latency": "256/48000",
    });
    return new PipewireAudioSource(connection, spec);
  } catch (error) {
    connection.close();
    throw error;
  }
}

class PipewireAudioSource implements AudioSource {
  readonly description: string;
  readonly #connection: PipewireConnection;
  readonly #channels: number;
  #samples = new Uint8Array(0);

  constructor(
    connection: PipewireConnection,
    spec: { readonly sinkName: string; readonly channels: number },
  ) {
    this.description = `PipeWire monitor of ${spec.sinkName}`;
    this.#connection = connection;
    this.#channels = spec.channels;
  }

  async next(samplesPerChannel: number, timeoutMs: number): Promise<AudioFrame | null> {
    const sizeBytes = samplesPerChannel * this.#channels * SAMPLE_SIZE_BYTES;
    if (this.#samples.byteLength !== sizeBytes) this.#samples = new Uint8Array(sizeBytes);
    const block = await this.#connection.read(this.#samples, {
      samples: samplesPerChannel,
      timeoutMs,
    });
    const pointer = Deno.UnsafePointer.of(this.#samples);
    if (block === null || pointer === null) return null;
    return {
      data: { pointer, sizeBytes },
      samplesPerChannel,
      capturedAtUs: block.capturedAtUs,
    };
  }

  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
