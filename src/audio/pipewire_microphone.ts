/**
 * A virtual microphone in PipeWire: a stream of the media class "Audio/Source" that applications list and record.
 *
 * @module
 */
import { PipewireConnection } from "../../ffi/pipewire.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { NativeBytes } from "../media/native_bytes.ts";
import { microphoneProperties } from "./pipewire_properties.ts";
import type { MicrophoneSink } from "./ports.ts";

/** An application that starts recording waits for our answer this long when nobody speaks. */
const SERVICE_INTERVAL_MS = 50;
const SAMPLE_SIZE_BYTES = 4;

export interface MicrophoneOptions {
  readonly socketPath: string;
  /** node.name, under which applications find it. */
  readonly name: string;
  readonly channels: 1 | 2;
  readonly clock: Clock;
}

/** Throws OperationError "unavailable" or "missing-library". */
export function openPipewireMicrophone(options: MicrophoneOptions): MicrophoneSink {
  const connection = new PipewireConnection(options.socketPath);
  try {
    connection.openStream("microphone", options.channels, microphoneProperties(options.name));
    return new PipewireMicrophone(connection, options);
  } catch (error) {
    connection.close();
    throw error;
  }
}

class PipewireMicrophone implements MicrophoneSink {
  readonly #connection: PipewireConnection;
  readonly #options: MicrophoneOptions;
  #timer: Timer;

  constructor(connection: PipewireConnection, options: MicrophoneOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#timer = this.#arm();
  }

  write(data: NativeBytes): void {
    this.#connection.write(data, data.sizeBytes / (SAMPLE_SIZE_BYTES * this.#options.channels));
  }

  close(): void {
    this.#timer.cancel();
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #arm(): Timer {
    return this.#options.clock.after(SERVICE_INTERVAL_MS, () => {
      if (this.#connection.service()) this.#timer = this.#arm();
    });
  }
}
