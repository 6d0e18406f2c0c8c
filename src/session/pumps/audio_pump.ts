/**
 * The audio pump: source → Opus → output, one packet at a time.
 *
 * Runs in a Worker of its own (`audio_pump_worker.ts`), because an encoded picture takes longer than a packet of sound may
 * wait.
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import type { AudioEncoder, AudioSource } from "../../media/ports.ts";
import type { AudioOutput } from "./audio_outputs.ts";
import type { PumpStats } from "./messages.ts";

const SOURCE_WAIT_MS = 100;
const SAMPLE_RATE_KHZ = 48;

export interface AudioPumpParts {
  readonly source: AudioSource;
  readonly encoder: AudioEncoder;
  readonly output: AudioOutput;
  readonly frameDurationMs: number;
  readonly clock: Clock;
}

export class AudioPump {
  readonly #parts: AudioPumpParts;
  readonly #flow = Promise.withResolvers<void>();
  #isStopped = false;
  #stats = { units: 0, packets: 0, bytes: 0, refusedPackets: 0, encodeUs: 0, sendUs: 0 };

  /** The pump borrows its parts; whoever opened them closes them after `run`. */
  constructor(parts: AudioPumpParts) {
    this.#parts = parts;
  }

  get stats(): PumpStats {
    return { ...this.#stats, idrs: 0, repeats: 0, droppedUnits: 0 };
  }

  /** The client listens: sound may leave from now on. */
  flow(): void {
    this.#flow.resolve();
  }

  stop(): void {
    this.#isStopped = true;
    this.#flow.resolve();
  }

  /** Run until `stop`. Throws what a part threw. */
  async run(onFirstPacket: () => void): Promise<void> {
    const { source, encoder, output, frameDurationMs, clock } = this.#parts;
    await this.#flow.promise;
    while (!this.#isStopped) {
      const frame = await source.next(frameDurationMs * SAMPLE_RATE_KHZ, SOURCE_WAIT_MS);
      if (this.#isStopped) return;
      if (frame === null) continue;
      const startUs = clock.monotonicUs();
      const packet = encoder.encode(frame);
      const encodedUs = clock.monotonicUs();
      const result = output.send(packet, frame.capturedAtUs);
      this.#stats.units++;
      this.#stats.packets += result.packetCount;
      this.#stats.bytes += result.bytes;
      this.#stats.refusedPackets += result.refusedPackets;
      this.#stats.encodeUs += encodedUs - startUs;
      this.#stats.sendUs += clock.monotonicUs() - encodedUs;
      if (this.#stats.units === 1) onFirstPacket();
    }
  }
}
