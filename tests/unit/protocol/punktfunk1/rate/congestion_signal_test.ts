import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CongestionSignal,
  queueLimitUs,
} from "../../../../../src/protocol/punktfunk1/rate/congestion_signal.ts";
import { LinkSensor } from "../../../../../src/protocol/punktfunk1/rate/link_sensor.ts";

const FRAME_US = 16_667;
const RATE_KBPS = 20_000;
/** A session alone at 20 Mbit/s: 0.6 frames and 10 ms. */
const LIMIT_MS = 20;
const PACKETS = 30;
const PACKET_BYTES = 1_400;
/** Within a frame: packets of 20 Mbit/s. */
const PACKET_US = 560;

/** A path that a test fills frame by frame. */
class Path {
  readonly sensor = new LinkSensor();
  readonly signal = new CongestionSignal(this.sensor, FRAME_US);
  #frame = 0;
  #sequence = 0;
  #random = 0;

  /** One frame for each delay, of which `lossRatio` of the packets is lost, evenly. */
  frames(delaysMs: readonly number[], lossRatio = 0): this {
    for (const delayMs of delaysMs) {
      const ptsUs = this.#frame * FRAME_US;
      for (let packet = 0; packet < PACKETS; packet++) {
        const streamSequence = this.#sequence++;
        this.#random = (this.#random + lossRatio) % 1;
        if (lossRatio > 0 && this.#random < lossRatio) continue;
        this.sensor.packet(
          { frameIndex: this.#frame, streamSequence, ptsUs, sizeBytes: PACKET_BYTES },
          ptsUs + delayMs * 1000 + packet * PACKET_US,
        );
      }
      this.#frame++;
    }
    return this;
  }

  steady(count: number, delayMs = 0, lossRatio = 0): this {
    return this.frames(new Array(count).fill(delayMs), lossRatio);
  }

  judge(hasLostFrames = false) {
    return this.signal.judge(RATE_KBPS, hasLostFrames);
  }
}

Deno.test("queueLimitUs() is shorter for whoever takes more", () => {
  assert.equal(Math.round(queueLimitUs(20_000, 1, FRAME_US)), 20_000);
  assert.equal(Math.round(queueLimitUs(20_000, 0.5, FRAME_US)), 26_000);
  assert.equal(queueLimitUs(500, 1, FRAME_US), 50_000);
  assert.equal(queueLimitUs(500_000, 1, 8_333), 10_000);
  fc.assert(fc.property(
    fc.integer({ min: 500, max: 8_000_000 }),
    fc.integer({ min: 500, max: 8_000_000 }),
    (a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      const path = a + b;
      assert.ok(
        queueLimitUs(less, less / path, FRAME_US) >= queueLimitUs(more, more / path, FRAME_US),
      );
    },
  ));
});

Deno.test("CongestionSignal finds nothing on an empty path, nor before it knows one", () => {
  assert.equal(new Path().judge(), undefined);
  const path = new Path().steady(60);
  assert.equal(path.judge(), undefined);
  assert.equal(path.signal.queueUs, 0);
  assert.ok(path.signal.isRelaxed(RATE_KBPS));
});

Deno.test("CongestionSignal is urgent at two rising frames past 1.5 × the limit", () => {
  const past = LIMIT_MS * 1.5 + 1;
  assert.equal(new Path().steady(60).frames([past]).judge(), undefined);
  assert.equal(new Path().steady(60).frames([past, past + 12]).judge(), "urgent");
  assert.equal(new Path().steady(60).frames([past + 12, past]).judge(), undefined, "falling");
});

Deno.test("CongestionSignal finds a queue that stands for 150 ms past the limit", () => {
  assert.equal(new Path().steady(60).steady(10, LIMIT_MS + 2).judge(), "queue");
  assert.equal(new Path().steady(60).steady(10, LIMIT_MS - 2).judge(), undefined);
  assert.equal(new Path().steady(60).steady(5, LIMIT_MS + 2).judge(), undefined, "too short");
});

Deno.test("CongestionSignal lets a large frame's queue drain", () => {
  const draining = Array.from({ length: 10 }, (_, index) => 60 - index * 3);
  assert.equal(new Path().steady(60).frames(draining).judge(), undefined);
});

Deno.test("CongestionSignal grows its limit with the jitter", () => {
  const jitter = Array.from({ length: 200 }, (_, index) => [0, 45, 12, 38][index % 4] ?? 0);
  const path = new Path().frames(jitter);
  assert.equal(path.steady(10, LIMIT_MS + 5).judge(), undefined);
});

Deno.test("CongestionSignal finds loss beyond 10 %, or 4 % when frames were lost too", () => {
  assert.equal(new Path().steady(60).steady(20, 0, 0.15).judge(), "loss");
  assert.equal(new Path().steady(60).steady(20, 0, 0.07).judge(), undefined);
  assert.equal(new Path().steady(60).steady(20, 0, 0.07).judge(true), "loss");
  assert.equal(new Path().steady(60).steady(20, LIMIT_MS / 2 + 2, 0.07).judge(), "loss");
  assert.equal(new Path().steady(60).steady(20, 0, 0.03).judge(true), undefined);
});

Deno.test("CongestionSignal tells no loss from fewer than 100 packets", () => {
  assert.equal(new Path().steady(3, 0, 0.5).judge(true), undefined);
});

Deno.test("CongestionSignal.learn() takes loss on an empty path for the path's own", () => {
  const path = new Path();
  for (let frame = 0; frame < 300; frame++) {
    path.steady(1, 0, 0.045);
    path.signal.learn(RATE_KBPS);
  }
  assert.equal(path.steady(20, 0, 0.08).judge(true), undefined, "3.5 % beyond its own");
  assert.equal(path.steady(20, 0, 0.16).judge(true), "loss");
});

Deno.test("CongestionSignal.hasStayed() tolerates a loss that a back-off did not lessen", () => {
  const path = new Path().steady(60).steady(20, 0, 0.15);
  const trouble = path.signal.troubleOf("loss", RATE_KBPS);
  assert.equal(path.steady(20, 0, 0.14).signal.hasStayed(trouble), true);
  assert.equal(path.judge(), undefined);
  const mended = new Path().steady(60).steady(20, 0, 0.15);
  const mendedTrouble = mended.signal.troubleOf("loss", RATE_KBPS);
  assert.equal(mended.steady(20, 0, 0.02).signal.hasStayed(mendedTrouble), false);
});

Deno.test("CongestionSignal.hasStayed() tolerates a queue that a back-off did not shorten", () => {
  const path = new Path().steady(60).steady(10, 40);
  const trouble = path.signal.troubleOf("queue", RATE_KBPS);
  assert.equal(path.steady(20, 38).signal.hasStayed(trouble), true);
  assert.equal(path.steady(10, 50).judge(), undefined);
  assert.equal(path.steady(10, 60).judge(), "queue");
  for (let frame = 0; frame < 200; frame++) {
    path.steady(1);
    path.signal.learn(RATE_KBPS);
  }
  assert.equal(path.steady(10, LIMIT_MS + 2).judge(), "queue", "its own limit again");
});

Deno.test("CongestionSignal.queueAheadUs() adds what the queue will grow by", () => {
  const path = new Path().steady(60).frames([10, 20]);
  const rising = 10_000 / (FRAME_US + 10_000);
  assert.equal(Math.round(path.signal.queueAheadUs(50_000)), Math.round(10_000 + rising * 50_000));
  assert.equal(path.frames([15]).signal.queueAheadUs(50_000), 15_000);
});
