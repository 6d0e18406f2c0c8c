import assert from "node:assert/strict";
import {
  LinkMeasurement,
  type LinkMeasurementOptions,
  type ProbeWish,
} from "../../../../../src/protocol/punktfunk1/rate/link_measurement.ts";
import { SeededRandom } from "../../../../fuzz/seeded_random.ts";
import { Bottleneck } from "../../../../sim/bottleneck.ts";

const PACKET_BYTES = 1_472;
const DELAY_US = 10_000;
const RAMP: LinkMeasurementOptions = { kind: "ramp", startUs: 0, ceilingKbps: 8_000_000 };
const BURST: LinkMeasurementOptions = { ...RAMP, kind: "burst" };

interface PathPlan {
  readonly kbps: number;
  readonly queueBytes?: number;
  readonly lossRatio?: number;
  /** The host sends no faster. */
  readonly hostKbpsMax?: number;
  readonly isSilent?: boolean;
}

/** Drive a measurement over a simulated path to its end. Returns the requests it made. */
function measure(measurement: LinkMeasurement, plan: PathPlan): ProbeWish[] {
  const link = new Bottleneck({
    random: new SeededRandom(1),
    rate: [{ fromMs: 0, kbps: plan.kbps }],
    delayMs: DELAY_US / 1000,
    queueBytes: plan.queueBytes ?? 400_000,
    lossRatio: plan.lossRatio ?? 0,
  });
  const wishes: ProbeWish[] = [];
  const events: { readonly atUs: number; readonly run: () => void }[] = [];
  for (let nowUs = 0; nowUs < 30e6 && measurement.outcome === undefined; nowUs += 1_000) {
    while ((events[0]?.atUs ?? Infinity) <= nowUs) events.shift()?.run();
    const wish = measurement.poll(nowUs);
    if (wish === undefined) continue;
    wishes.push(wish);
    if (plan.isSilent !== true) events.push(...answer(wish, nowUs, { link, plan, measurement }));
    events.sort((a, b) => a.atUs - b.atUs);
  }
  return wishes;
}

/** What a host sends for a request: filler at its rate, then the result. */
function answer(wish: ProbeWish, nowUs: number, { link, plan, measurement }: {
  readonly link: Bottleneck;
  readonly plan: PathPlan;
  readonly measurement: LinkMeasurement;
}) {
  const kbps = Math.min(wish.targetKbps, plan.hostKbpsMax ?? Infinity);
  const packets = Math.floor(kbps * wish.durationMs / 8 / PACKET_BYTES);
  const events = [];
  for (let packet = 0; packet < packets; packet++) {
    const sentUs = nowUs + DELAY_US + packet * PACKET_BYTES * 8_000 / kbps;
    const atUs = link.send(PACKET_BYTES, sentUs);
    if (atUs === undefined) continue;
    events.push({ atUs, run: () => measurement.filler(PACKET_BYTES, atUs) });
  }
  const resultUs = nowUs + DELAY_US * 2 + wish.durationMs * 1000;
  const { durationMs } = wish;
  const result = {
    bytes: BigInt(packets * PACKET_BYTES),
    packets,
    durationMs,
    wireSent: packets,
    dropped: 0,
  };
  events.push({ atUs: resultUs, run: () => measurement.result(result, resultUs) });
  return events;
}

Deno.test("LinkMeasurement doubles from 5 Mbit/s until the path does not carry it", () => {
  for (const kbps of [8_000, 30_000, 150_000, 900_000]) {
    const ramp = new LinkMeasurement(RAMP);
    const wishes = measure(ramp, { kbps });
    assert.deepEqual(
      wishes.map(({ targetKbps }) => targetKbps),
      wishes.map((_, step) => 5_000 * 2 ** step),
    );
    assert.ok(wishes.every(({ durationMs }) => durationMs === 25));
    const { provenKbps, isLimit } = ramp.outcome ?? { provenKbps: 0, isLimit: false };
    assert.ok(isLimit, `${kbps}`);
    assert.ok(Math.abs(provenKbps / kbps - 1) < 0.1, `${provenKbps} of ${kbps}`);
  }
});

Deno.test("LinkMeasurement is not deceived by a queue that takes the whole burst", () => {
  const ramp = new LinkMeasurement(RAMP);
  measure(ramp, { kbps: 30_000, queueBytes: 10_000_000 });
  assert.ok((ramp.outcome?.provenKbps ?? 0) < 33_000);
});

Deno.test("LinkMeasurement takes a path that drops beyond 5 % for full", () => {
  const ramp = new LinkMeasurement(RAMP);
  assert.equal(measure(ramp, { kbps: 1_000_000, lossRatio: 0.3 }).length, 1);
  assert.equal(ramp.outcome?.isLimit, true);
});

Deno.test("LinkMeasurement stops at 1.25 × the ceiling, which is no limit of the path", () => {
  const ramp = new LinkMeasurement({ ...RAMP, ceilingKbps: 50_000 });
  const wishes = measure(ramp, { kbps: 1_000_000 });
  assert.equal(wishes.at(-1)?.targetKbps, 62_500);
  assert.equal(ramp.outcome?.isLimit, false);
  assert.ok((ramp.outcome?.provenKbps ?? 0) > 58_000);
});

Deno.test("LinkMeasurement keeps each step to 16 MB and 10 Gbit/s", () => {
  const wishes = measure(new LinkMeasurement(RAMP), { kbps: 1e9, queueBytes: 1e9 });
  const last = wishes.at(-1);
  assert.equal(last?.targetKbps, 10_000_000);
  assert.ok(wishes.every((wish) => wish.targetKbps * wish.durationMs / 8 <= 16_000_000));
});

Deno.test("LinkMeasurement ends where the host sends no faster", () => {
  const ramp = new LinkMeasurement(RAMP);
  measure(ramp, { kbps: 1_000_000, hostKbpsMax: 50_000 });
  assert.equal(ramp.outcome?.isLimit, false);
  assert.ok(Math.abs((ramp.outcome?.provenKbps ?? 0) / 50_000 - 1) < 0.1);
});

Deno.test("LinkMeasurement gives a silent host 1.5 s a step, 15 s for the burst", () => {
  for (const [options, fromUs, timeoutUs] of [[RAMP, 0, 1.5e6], [BURST, 2e6, 15e6]] as const) {
    const measurement = new LinkMeasurement(options);
    assert.equal(measurement.poll(fromUs - 1), undefined);
    assert.equal(measurement.isFilling, false);
    assert.ok(measurement.poll(fromUs) !== undefined);
    assert.equal(measurement.isFilling, true);
    measurement.poll(fromUs + timeoutUs);
    assert.equal(measurement.outcome, undefined);
    measurement.poll(fromUs + timeoutUs + 1);
    assert.deepEqual(measurement.outcome, { provenKbps: 0, isLimit: false });
  }
});

Deno.test("LinkMeasurement ends at a result of zeros and asks for nothing more", () => {
  const ramp = new LinkMeasurement(RAMP);
  ramp.poll(0);
  ramp.result({ bytes: 0n, packets: 0, durationMs: 0, wireSent: 0, dropped: 0 }, 1_000);
  assert.deepEqual(ramp.outcome, { provenKbps: 0, isLimit: false });
  assert.equal(ramp.poll(2_000), undefined);
});

Deno.test("LinkMeasurement ends the ramp with the first video and keeps what it proved", () => {
  const ramp = new LinkMeasurement(RAMP);
  const wishes: ProbeWish[] = [];
  const first = ramp.poll(0);
  assert.ok(first !== undefined);
  for (let packet = 0; packet < 10; packet++) ramp.filler(PACKET_BYTES, packet * 2_355);
  const sent = { bytes: 14_720n, packets: 10, durationMs: 25, wireSent: 10, dropped: 0 };
  ramp.result(sent, 26_000);
  const second = ramp.poll(26_000);
  if (second !== undefined) wishes.push(second);
  assert.deepEqual(wishes, [{ targetKbps: 10_000, durationMs: 25 }]);
  ramp.video(PACKET_BYTES);
  assert.deepEqual(ramp.outcome, { provenKbps: 4_710, isLimit: false });
});

Deno.test("LinkMeasurement counts the video between the filler of its burst", () => {
  const burst = new LinkMeasurement({ ...BURST, burstKbps: 10_000 });
  burst.video(PACKET_BYTES);
  assert.deepEqual(burst.poll(2e6), { targetKbps: 10_000, durationMs: 800 });
  const packets = 679;
  for (let packet = 0; packet < packets; packet++) {
    burst.filler(PACKET_BYTES, 2e6 + packet * 1_178);
    burst.video(PACKET_BYTES);
  }
  const bytes = BigInt(packets * PACKET_BYTES);
  burst.result({ bytes, packets, durationMs: 800, wireSent: packets, dropped: 0 }, 2.9e6);
  assert.equal(burst.poll(2.9e6), undefined);
  assert.deepEqual(burst.outcome, { provenKbps: 19_990, isLimit: false });
});

Deno.test("LinkMeasurement waits 100 ms for filler behind a result, of hosts that tell no wire counts too", () => {
  const ramp = new LinkMeasurement(RAMP);
  ramp.poll(0);
  for (let packet = 0; packet < 9; packet++) ramp.filler(PACKET_BYTES, packet * 2_355);
  ramp.result({ bytes: 14_720n, packets: 10, durationMs: 25, wireSent: 0, dropped: 0 }, 30_000);
  assert.equal(ramp.poll(129_999), undefined);
  assert.ok(ramp.isFilling);
  ramp.filler(PACKET_BYTES, 129_999);
  ramp.poll(130_000);
  assert.equal(ramp.outcome?.isLimit, true, "the last packet came too late for the rate");
});

Deno.test("LinkMeasurement takes no filler and no result that it did not ask for", () => {
  const ramp = new LinkMeasurement({ ...RAMP, startUs: 1_000 });
  ramp.filler(PACKET_BYTES, 0);
  ramp.result({ bytes: 1n, packets: 1, durationMs: 1, wireSent: 1, dropped: 0 }, 0);
  assert.equal(ramp.outcome, undefined);
  assert.deepEqual(ramp.poll(1_000), { targetKbps: 5_000, durationMs: 25 });
});
