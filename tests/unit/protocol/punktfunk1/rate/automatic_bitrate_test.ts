import assert from "node:assert/strict";
import fc from "fast-check";
import { BITRATE_KBPS_MIN } from "../../../../../src/lib/limits.ts";
import type { BitrateReason } from "../../../../../src/protocol/punktfunk1/control_video.ts";
import {
  AutomaticBitrate,
  type AutomaticBitrateOptions,
  SET_BITRATE_ANSWER_US,
  SET_BITRATE_INTERVAL_US,
} from "../../../../../src/protocol/punktfunk1/rate/automatic_bitrate.ts";

const FRAME_US = 20_000;
const PACKET_BYTES = 1_250;
const OPTIONS: AutomaticBitrateOptions = { startKbps: 10_000, refreshHz: 50 };

interface Ask {
  readonly atUs: number;
  readonly kbps: number;
}

/** A client whose frames fill the rate in force, over a path with a delay that tests choose. */
class Stream {
  readonly rate: AutomaticBitrate;
  readonly asks: Ask[] = [];
  nowUs = 0;
  /** What the host puts on the wire for each kbit/s. */
  overhead = 1;
  /** Of the rate, that the picture takes. */
  fill = 1;
  doesAnswer = true;
  reason: BitrateReason | undefined;
  grantKbpsMax = Infinity;
  #ptsUs = 0;
  #frame = 0;
  #sequence = 0;
  #inForceKbps: number;

  constructor(options: Partial<AutomaticBitrateOptions> = {}) {
    const { startKbps, ...others } = { ...OPTIONS, ...options };
    this.rate = new AutomaticBitrate({ startKbps, ...others });
    this.rate.roundTrip(10_000);
    this.#inForceKbps = startKbps;
  }

  /** Frames for so long, which wait `queueUs`. */
  run(durationMs: number, queueUs = (_sinceMs: number) => 0): this {
    for (let sinceMs = 0; sinceMs < durationMs; sinceMs += FRAME_US / 1000) {
      this.#ptsUs += FRAME_US;
      this.nowUs = Math.max(this.nowUs, this.#ptsUs + queueUs(sinceMs));
      this.#sendFrame();
      const kbps = this.rate.poll(this.nowUs);
      if (kbps !== undefined) this.#ask(kbps);
    }
    return this;
  }

  #sendFrame(): void {
    const bytes = this.#inForceKbps * this.overhead * this.fill * FRAME_US / 8_000;
    const packets = Math.max(1, Math.round(bytes / PACKET_BYTES));
    const frameIndex = this.#frame++;
    for (let packet = 0; packet < packets; packet++) {
      const streamSequence = this.#sequence++;
      this.rate.packet(
        { frameIndex, streamSequence, ptsUs: this.#ptsUs, sizeBytes: PACKET_BYTES },
        this.nowUs,
      );
    }
  }

  #ask(kbps: number): void {
    this.asks.push({ atUs: this.nowUs, kbps });
    if (!this.doesAnswer) return;
    this.#inForceKbps = Math.min(kbps, this.grantKbpsMax);
    this.rate.granted({ kbps: this.#inForceKbps, reason: this.reason }, this.nowUs);
  }
}

/** A path at half of what comes: each second adds half a second to the queue. */
const overrun = (sinceMs: number) => sinceMs * 1000;

Deno.test("AutomaticBitrate asks for nothing before it has seen frames", () => {
  const rate = new AutomaticBitrate(OPTIONS);
  assert.equal(rate.poll(0), undefined);
  assert.equal(rate.poll(60e6), undefined);
  assert.equal(rate.rateKbps, 10_000);
  assert.equal(rate.isOff, false);
});

Deno.test("AutomaticBitrate climbs on an empty path, half a second a step", () => {
  const { asks } = new Stream().run(5_000);
  assert.ok(asks.length >= 8, `${asks.length} asks`);
  asks.forEach(({ kbps, atUs }, index) => {
    const before = asks[index - 1];
    if (before === undefined) return;
    assert.ok(kbps > before.kbps);
    assert.ok(atUs - before.atUs >= 500_000);
  });
});

Deno.test("AutomaticBitrate backs off below what came through, within 5 frames of an overrun", () => {
  const stream = new Stream({ ceilingKbps: 10_000 }).run(2_000);
  assert.equal(stream.asks.length, 0);
  stream.run(100, overrun);
  const [first] = stream.asks;
  assert.ok(first !== undefined);
  // Frames came half as fast as they were sent.
  assert.ok(first.kbps < 5_000 * 0.9, `${first.kbps}`);
  assert.ok(first.kbps >= 5_000 * 0.55, `${first.kbps}`);
});

Deno.test("AutomaticBitrate reckons with hosts whose rate does not include everything", () => {
  const stream = new Stream({ ceilingKbps: 10_000 });
  stream.overhead = 1.6;
  stream.run(8_000).run(100, overrun);
  const kbps = stream.asks[0]?.kbps ?? Infinity;
  assert.ok(kbps < 5_000 * 0.9, `${kbps}: half of what was asked for, not of what was sent`);
});

Deno.test("AutomaticBitrate does not climb with a picture that takes half its rate", () => {
  const stream = new Stream();
  stream.fill = 0.5;
  assert.deepEqual(stream.run(5_000).asks, []);
  stream.fill = 1;
  assert.ok(stream.run(5_000).asks.length > 0);
});

Deno.test("AutomaticBitrate is off when the host does not answer for 5 s", () => {
  const stream = new Stream();
  stream.doesAnswer = false;
  stream.run(2_000);
  assert.equal(stream.asks.length, 1, "no climb without an answer");
  const askedUs = stream.asks[0]?.atUs ?? 0;
  stream.rate.poll(askedUs + SET_BITRATE_ANSWER_US);
  assert.equal(stream.rate.isOff, false);
  stream.rate.poll(askedUs + SET_BITRATE_ANSWER_US + 1);
  assert.equal(stream.rate.isOff, true);
  assert.equal(stream.run(2_000, overrun).asks.length, 1);
});

Deno.test("AutomaticBitrate is off when the host pins its rate", () => {
  const stream = new Stream();
  stream.reason = "pinned";
  stream.run(10_000);
  assert.equal(stream.asks.length, 1);
  assert.equal(stream.rate.isOff, true);
});

Deno.test("AutomaticBitrate keeps to what the host granted for 30 s", () => {
  const stream = new Stream();
  stream.grantKbpsMax = 10_300;
  stream.run(25_000);
  assert.equal(stream.rate.rateKbps, 10_300);
  const { length } = stream.asks;
  assert.ok(length <= 3, `${length} asks`);
  stream.run(10_000);
  assert.equal(stream.asks.length, length + 1, "asks once again");
});

Deno.test("AutomaticBitrate takes an answer to an earlier ask for history", () => {
  const stream = new Stream({ ceilingKbps: 10_000 }).run(2_000);
  stream.doesAnswer = false;
  stream.run(600, overrun);
  const { asks, rate } = stream;
  assert.ok(asks.length >= 2);
  for (const { kbps } of asks) {
    assert.equal(rate.rateKbps, asks.at(-1)?.kbps);
    rate.granted({ kbps, reason: undefined }, stream.nowUs);
  }
  rate.granted({ kbps: 7_777, reason: undefined }, stream.nowUs);
  assert.equal(rate.rateKbps, 7_777, "unasked");
});

Deno.test("AutomaticBitrate decides nothing during a measurement, and little after it", () => {
  const stream = new Stream({ ceilingKbps: 10_000 }).run(2_000);
  stream.rate.measuring();
  assert.deepEqual(stream.run(800, overrun).asks, []);
  assert.equal(stream.rate.measured({ provenKbps: 0, isLimit: false }, stream.nowUs), undefined);
  const drained = (sinceMs: number) => Math.max(0, 400_000 - sinceMs * 2_000);
  assert.deepEqual(stream.run(1_000, drained).asks, []);
});

Deno.test("AutomaticBitrate starts from three quarters of a measured rate", () => {
  const rate = new AutomaticBitrate({ ...OPTIONS, ceilingKbps: 50_000 });
  assert.equal(rate.measured({ provenKbps: 40_000, isLimit: true }, 0), 30_000);
  assert.equal(rate.rateKbps, 30_000);
  const rich = new AutomaticBitrate({ ...OPTIONS, ceilingKbps: 50_000 });
  assert.equal(rich.measured({ provenKbps: 900_000, isLimit: false }, 0), 50_000);
  const same = new AutomaticBitrate({ ...OPTIONS, ceilingKbps: 10_000 });
  assert.equal(same.measured({ provenKbps: 900_000, isLimit: false }, 0), undefined);
});

Deno.test("AutomaticBitrate asks for less while the decoder is slower than the frames come", () => {
  const stream = new Stream();
  const decode = (decodeUs: number, durationMs: number) => {
    for (let frame = 0; frame < 100; frame++) stream.rate.decoded(decodeUs);
    const before = stream.asks.length;
    stream.run(durationMs);
    return stream.asks.slice(before).map(({ kbps }) => kbps);
  };
  assert.deepEqual(decode(19_000, 3_000), [], "no climb at 95 % of the time");
  assert.deepEqual(decode(25_000, 400), [8_500]);
  assert.ok(decode(5_000, 12_000).length > 0);
});

Deno.test("AutomaticBitrate does not go below 500 kbit/s", () => {
  const stream = new Stream({ startKbps: 600 }).run(2_000);
  stream.run(20_000, overrun);
  assert.equal(Math.min(...stream.asks.map(({ kbps }) => kbps)), BITRATE_KBPS_MIN);
});

Deno.test("AutomaticBitrate asks at most once in 100 ms, in whole kbit/s within its limits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 20, max: 800 }), fc.integer({ min: 0, max: 300_000 })), {
        maxLength: 30,
      }),
      fc.integer({ min: BITRATE_KBPS_MIN, max: 30_000 }),
      (spells, ceilingKbps) => {
        const stream = new Stream({ ceilingKbps });
        for (const [durationMs, queueUs] of spells) stream.run(durationMs, () => queueUs);
        let lastUs = -Infinity;
        for (const { atUs, kbps } of stream.asks) {
          assert.ok(atUs - lastUs >= SET_BITRATE_INTERVAL_US);
          assert.ok(Number.isInteger(kbps) && kbps >= BITRATE_KBPS_MIN && kbps <= ceilingKbps);
          lastUs = atUs;
        }
      },
    ),
    { numRuns: 50 },
  );
});
