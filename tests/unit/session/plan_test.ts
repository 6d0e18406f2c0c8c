import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { MODE_WIDTH_MAX, MODE_WIDTH_MIN } from "../../../src/lib/limits.ts";
import {
  type ClientRequest,
  type HostCapabilities,
  planSession,
} from "../../../src/session/plan.ts";

const HOST: HostCapabilities = {
  codecs: ["h264"],
  pixelsMax: MODE_WIDTH_MAX * 1536,
  bitrateKbpsMax: 100_000,
  slicesMax: 8,
  referenceFramesMax: 1,
  hasReferenceInvalidation: false,
  audioChannels: [2, 6, 8],
};

const REQUEST: ClientRequest = {
  mode: { widthPixels: 1280, heightPixels: 720, refreshMilliHz: 60_000 },
  codec: "h264",
  bitrateKbps: 10_000,
  slices: 4,
  referenceFrames: 1,
  colorSpace: "bt709",
  isFullRange: false,
  audio: {
    channels: 2,
    streams: 1,
    coupledStreams: 1,
    mapping: [0, 1],
    bitrateBps: 96_000,
    frameDurationMs: 5,
  },
  isHeardOnHost: false,
};

function withMode(widthPixels: number, heightPixels: number): ClientRequest {
  return { ...REQUEST, mode: { widthPixels, heightPixels, refreshMilliHz: 60_000 } };
}

Deno.test("planSession() gives what was asked without a reason when the host can do it", () => {
  const plan = planSession(REQUEST, HOST);
  assert.deepEqual(plan.mode, REQUEST.mode);
  assert.equal(plan.encoder.bitrateKbps, 10_000);
  assert.equal(plan.encoder.slices, 4);
  assert.deepEqual(plan.reductions, []);
});

Deno.test("planSession() keeps an odd mode for the display and crops the picture", () => {
  const plan = planSession(withMode(1727, 1117), HOST);
  assert.deepEqual([plan.mode.widthPixels, plan.mode.heightPixels], [1727, 1117]);
  assert.deepEqual([plan.encoder.widthPixels, plan.encoder.heightPixels], [1726, 1116]);
  assert.equal(plan.reductions.length, 1);
});

Deno.test("planSession() keeps even sizes that are no multiple of 16 as they are", () => {
  for (const [width, height] of [[2796, 1290], [1366, 768]] as const) {
    const plan = planSession(withMode(width, height), HOST);
    assert.deepEqual([plan.encoder.widthPixels, plan.encoder.heightPixels], [width, height]);
    assert.deepEqual(plan.reductions, []);
  }
});

Deno.test("planSession() names every reduction", () => {
  const plan = planSession({ ...REQUEST, bitrateKbps: 150_000, slices: 99 }, HOST);
  assert.equal(plan.encoder.bitrateKbps, 100_000);
  assert.equal(plan.encoder.slices, 8);
  assert.equal(plan.reductions.length, 2);
});

Deno.test("planSession() refuses a codec the host does not offer, naming what it offers", () => {
  assert.throws(
    () => planSession({ ...REQUEST, codec: "av1" }, HOST),
    (error) => error instanceof OperationError && /av1.*h264/.test(error.message),
  );
});

Deno.test("planSession() accepts the limits of a mode and refuses one past them", () => {
  for (const width of [MODE_WIDTH_MIN, MODE_WIDTH_MAX]) planSession(withMode(width, 720), HOST);
  for (const width of [MODE_WIDTH_MIN - 1, MODE_WIDTH_MAX + 1, Number.NaN, 1280.5]) {
    assert.throws(
      () => planSession(withMode(width, 720), HOST),
      (error) => error instanceof OperationError && error.code === "invalid",
    );
  }
});

Deno.test("planSession() counts whole macroblocks against the encoder's limit", () => {
  const host = { ...HOST, pixelsMax: 1376 * 768 };
  planSession(withMode(1366, 768), host);
  assert.throws(
    () => planSession(withMode(1366, 770), host),
    (error) => error instanceof OperationError && error.code === "refused",
  );
});
