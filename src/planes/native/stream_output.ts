/**
 * What a session gives its client besides video, as QUIC datagrams (native specification 7).
 *
 *     packet of sound  → d2 with a copy of the one before, or c9
 *     unit of video    → cf, how long the host took
 *     a game's answer  → ca under a lease, or cd
 *
 * Datagrams may get lost and never wait: what the connection cannot take is gone.
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import type { PadFeedback } from "../../protocol/input_event.ts";
import { encodeAudio } from "../../protocol/punktfunk1/datagrams/audio.ts";
import { AudioRedundancy } from "../../protocol/punktfunk1/datagrams/audio_redundancy.ts";
import {
  encodeHidFeedback,
  hidFeedbackOf,
} from "../../protocol/punktfunk1/datagrams/hid_feedback.ts";
import { encodeHostTiming } from "../../protocol/punktfunk1/datagrams/host_timing.ts";
import { encodeRumble } from "../../protocol/punktfunk1/datagrams/rumble.ts";
import { RumbleLease } from "../../protocol/punktfunk1/datagrams/rumble_lease.ts";
import type { QuicConnection } from "../../quic/ports.ts";
import type { SentUnit, SoundPacket } from "../../session/pumps/messages.ts";
import type { StreamClock } from "./stream_clock.ts";

export interface StreamOutputOptions {
  readonly connection: Pick<QuicConnection, "sendDatagram" | "datagramSizeMax">;
  readonly streamClock: StreamClock;
  readonly clock: Clock;
  readonly isSoundRedundant: boolean;
}

export class StreamOutput implements Disposable {
  readonly #options: StreamOutputOptions;
  readonly #redundancy: AudioRedundancy | undefined;
  readonly #rumble = new Map<number, RumbleLease>();
  #soundSequence = 0;
  #isMuted = false;

  constructor(options: StreamOutputOptions) {
    this.#options = options;
    this.#redundancy = options.isSoundRedundant ? new AudioRedundancy() : undefined;
  }

  /** A muted session sends no sound; the client is told by AudioState. */
  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
  }

  sound({ bytes, capturedAtUs }: SoundPacket): void {
    if (this.#isMuted) return;
    const { connection, streamClock } = this.#options;
    const packet = {
      sequence: this.#soundSequence,
      ptsNs: streamClock.atUs(capturedAtUs),
      payload: bytes,
    };
    this.#soundSequence = (this.#soundSequence + 1) >>> 0;
    connection.sendDatagram(
      this.#redundancy?.encode(packet, connection.datagramSizeMax) ?? encodeAudio(packet, "audio"),
    );
  }

  hostTiming({ capturedAtUs, waitedUs, encodeUs, sendUs }: SentUnit): void {
    const { connection, streamClock } = this.#options;
    const whole = (us: number) => Math.max(0, Math.round(us));
    connection.sendDatagram(encodeHostTiming({
      ptsNs: streamClock.atUs(capturedAtUs),
      totalUs: whole(waitedUs + encodeUs + sendUs),
      stages: {
        queueUs: whole(waitedUs),
        encodeUs: whole(encodeUs),
        paceUs: whole(sendUs),
        phaseNs: undefined,
      },
    }));
  }

  padFeedback(feedback: PadFeedback): void {
    if (feedback.kind === "rumble") {
      this.#leaseOf(feedback.pad).set({ low: feedback.low, high: feedback.high });
    } else if (feedback.kind === "trigger-rumble") {
      this.#leaseOf(feedback.pad).set({
        leftTrigger: feedback.left,
        rightTrigger: feedback.right,
      });
    } else {
      for (const one of hidFeedbackOf(feedback)) {
        this.#options.connection.sendDatagram(encodeHidFeedback(one));
      }
    }
  }

  /** Stops every motor. */
  [Symbol.dispose](): void {
    for (const lease of this.#rumble.values()) lease.close();
    this.#rumble.clear();
  }

  #leaseOf(pad: number): RumbleLease {
    const known = this.#rumble.get(pad);
    if (known !== undefined) return known;
    const { clock, connection } = this.#options;
    const lease = new RumbleLease({
      pad,
      clock,
      send: (rumble) => connection.sendDatagram(encodeRumble(rumble)),
    });
    this.#rumble.set(pad, lease);
    return lease;
  }
}
