import assert from "node:assert/strict";
import { LinkSensor } from "../../../../../src/protocol/punktfunk1/rate/link_sensor.ts";

const FRAME_US = 10_000;
const PACKET_BYTES = 1_000;

interface Frames {
  readonly count: number;
  readonly packets?: number;
  /** Between arrivals of frames. */
  readonly arrivalUs?: number;
  readonly packetUs?: number;
  readonly isLost?: (sequence: number) => boolean;
  readonly firstFrame?: number;
  readonly firstSequence?: number;
}

/** Frames captured each 10 ms. */
function feed(sensor: LinkSensor, frames: Frames): void {
  const { count, packets = 5, arrivalUs = FRAME_US, packetUs = 100, isLost = () => false } = frames;
  for (let frame = 0; frame < count; frame++) {
    for (let packet = 0; packet < packets; packet++) {
      const sequence = frame * packets + packet;
      if (isLost(sequence)) continue;
      sensor.packet({
        frameIndex: ((frames.firstFrame ?? 0) + frame) >>> 0,
        streamSequence: ((frames.firstSequence ?? 0) + sequence) >>> 0,
        ptsUs: frame * FRAME_US,
        sizeBytes: PACKET_BYTES,
      }, 1_000_000 + frame * arrivalUs + packet * packetUs);
    }
  }
}

function sensorOf(frames: Frames): LinkSensor {
  const sensor = new LinkSensor();
  feed(sensor, frames);
  return sensor;
}

Deno.test("LinkSensor.read() tells nothing before a second frame", () => {
  assert.equal(new LinkSensor().read(1e6), undefined);
  assert.equal(sensorOf({ count: 1 }).read(1e6), undefined);
  assert.equal(sensorOf({ count: 1 }).frames, 1);
});

Deno.test("LinkSensor.read() tells what was sent and what was delivered", () => {
  const reading = sensorOf({ count: 20, arrivalUs: 20_000 }).read(100_000);
  assert.deepEqual(reading, { sentKbps: 4_000, deliveredKbps: 2_000, lossRatio: 0, packets: 25 });
});

Deno.test("LinkSensor.read() counts what is missing by sequence, heads of frames included", () => {
  const isLost = (sequence: number) => sequence % 10 === 0;
  const reading = sensorOf({ count: 41, isLost }).read(400_000);
  assert.ok(reading !== undefined);
  assert.ok(Math.abs(reading.lossRatio - 0.1) < 0.01, `${reading.lossRatio}`);
});

Deno.test("LinkSensor goes on where frame index and sequence wrap", () => {
  const sensor = sensorOf({ count: 20, firstFrame: 2 ** 32 - 10, firstSequence: 2 ** 32 - 33 });
  assert.equal(sensor.frames, 20);
  assert.deepEqual(sensor.read(100_000)?.lossRatio, 0);
  assert.deepEqual(sensor.read(100_000)?.packets, 50);
});

Deno.test("LinkSensor counts a packet that comes late, and opens no frame for it", () => {
  const sensor = sensorOf({ count: 10, isLost: (sequence) => sequence === 22 });
  const late = { frameIndex: 4, streamSequence: 22, ptsUs: 4 * FRAME_US, sizeBytes: PACKET_BYTES };
  sensor.packet(late, 1_091_000);
  assert.equal(sensor.frames, 10);
  feed(sensor, { count: 3, firstFrame: 10, firstSequence: 50 });
  assert.equal(sensor.read(1e6)?.lossRatio, 0);
});

Deno.test("LinkSensor takes a leap of the sequence for another way of counting", () => {
  const sensor = sensorOf({ count: 5 });
  feed(sensor, { count: 5, firstFrame: 5, firstSequence: 2 ** 24 });
  assert.equal(sensor.read(1e6)?.lossRatio, 0);
  assert.equal(sensorOf({ count: 5, packets: 1, isLost: () => false }).read(1e6)?.lossRatio, 0);
});

Deno.test("LinkSensor.burstKbps is the rate within frames", () => {
  assert.equal(new LinkSensor().burstKbps, 0);
  // One packet in 100 µs.
  assert.equal(Math.round(sensorOf({ count: 50 }).burstKbps), 80_000);
  assert.equal(sensorOf({ count: 50, packets: 3 }).burstKbps, 0, "too few packets to tell");
});

Deno.test("LinkSensor.restart() reads no further back", () => {
  const sensor = sensorOf({ count: 10, arrivalUs: 30_000 });
  sensor.restart();
  assert.equal(sensor.read(1e6), undefined);
  assert.equal(sensor.delay.queueUs({ us: 0, framesMin: 2 }), undefined);
});
