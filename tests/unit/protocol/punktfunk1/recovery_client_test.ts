import assert from "node:assert/strict";
import { RecoveryClient } from "../../../../src/protocol/punktfunk1/recovery_client.ts";

const MS = 1_000;
const KEY = 0x005;
const PLAIN = 0x001;
const ANCHOR = 0x021;
const MARK = 0x011;
const CLOSE = 0x211;
const REQUEST_KEY = { kind: "request-keyframe" };
const rfi = (firstFrame: number, lastFrame: number) => ({
  kind: "rfi-request",
  firstFrame,
  lastFrame,
});

function holding(): RecoveryClient {
  const client = new RecoveryClient();
  client.lost({ first: 5, last: 6 }, 0);
  assert.deepEqual(client.poll(0), rfi(5, 6));
  return client;
}

Deno.test("RecoveryClient shows what comes and asks for nothing while nothing is lost", () => {
  const client = new RecoveryClient();
  for (const flags of [KEY, PLAIN, MARK, ANCHOR, CLOSE]) {
    assert.equal(client.received(flags, 0), true);
    client.decoderTook({ hasOutput: true });
    assert.equal(client.poll(10_000 * MS), undefined);
  }
  assert.equal(client.isHolding, false);
});

Deno.test("RecoveryClient asks for an anchor at once, and joins gaps within 100 ms", () => {
  const client = holding();
  client.lost({ first: 8, last: 8 }, 10 * MS);
  client.lost({ first: 10, last: 12 }, 20 * MS);
  assert.equal(client.poll(99 * MS), undefined);
  assert.deepEqual(client.poll(100 * MS), rfi(8, 12));
  assert.equal(client.poll(300 * MS), undefined);
});

Deno.test("RecoveryClient asks for a key frame when more than 256 frames are lost, over the index's end too", () => {
  const gap = (count: number) => {
    const client = new RecoveryClient();
    const first = 0xffff_ff80;
    client.lost({ first, last: (first + count - 1) >>> 0 }, 0);
    return client.poll(0)?.kind;
  };
  assert.equal(gap(256), "rfi-request");
  assert.equal(gap(257), "request-keyframe");
});

Deno.test("RecoveryClient asks for a key frame when joined gaps span more than 256 frames", () => {
  const client = holding();
  client.lost({ first: 100, last: 100 }, 1 * MS);
  client.lost({ first: 356, last: 356 }, 2 * MS);
  assert.deepEqual(client.poll(3 * MS), REQUEST_KEY);
  assert.equal(client.poll(200 * MS), undefined);
});

Deno.test("RecoveryClient asks for a key frame after a decoder error, at most one per 100 ms", () => {
  const client = new RecoveryClient();
  client.decoderFailed(0);
  assert.equal(client.isHolding, true);
  assert.deepEqual(client.poll(0), REQUEST_KEY);
  client.decoderFailed(50 * MS);
  assert.equal(client.poll(99 * MS), undefined);
  assert.deepEqual(client.poll(100 * MS), REQUEST_KEY);
});

Deno.test("RecoveryClient asks for a key frame after three units in a row without output", () => {
  const client = new RecoveryClient();
  const units = (...outputs: boolean[]) => {
    for (const hasOutput of outputs) client.decoderTook({ hasOutput });
  };
  units(false, false, true, false, false);
  assert.equal(client.poll(0), undefined);
  units(false);
  assert.deepEqual(client.poll(0), REQUEST_KEY);
  assert.equal(client.isHolding, false);
});

Deno.test("RecoveryClient asks for a key frame every 500 ms until it is recovered", () => {
  const client = holding();
  assert.equal(client.poll(499 * MS), undefined);
  assert.deepEqual(client.poll(500 * MS), REQUEST_KEY);
  assert.equal(client.poll(999 * MS), undefined);
  assert.deepEqual(client.poll(1_000 * MS), REQUEST_KEY);
  assert.equal(client.received(KEY, 1_001 * MS), true);
  assert.equal(client.poll(9_000 * MS), undefined);
});

Deno.test("RecoveryClient holds the picture until a key frame or an anchor", () => {
  for (const flags of [KEY, ANCHOR]) {
    const client = holding();
    assert.equal(client.received(PLAIN, 10), false);
    assert.equal(client.received(flags, 20), true);
    assert.equal(client.received(PLAIN, 30), true);
  }
});

Deno.test("RecoveryClient forgets a gap that a key frame mended before it was asked for", () => {
  const client = holding();
  client.lost({ first: 9, last: 9 }, 10 * MS);
  assert.equal(client.received(KEY, 20 * MS), true);
  assert.equal(client.poll(5_000 * MS), undefined);
});

Deno.test("RecoveryClient trusts the second mark of a host that closes no waves", () => {
  const client = holding();
  assert.equal(client.received(MARK, 10), false);
  assert.equal(client.received(PLAIN, 20), false);
  assert.equal(client.received(MARK, 30), true);
});

Deno.test("RecoveryClient waits for the close of a wave that began after the loss", () => {
  const client = holding();
  assert.equal(client.received(CLOSE, 10), false, "its start was lost");
  assert.equal(client.received(MARK, 20), false);
  assert.equal(client.received(MARK, 30), false, "this host closes its waves");
  assert.equal(client.received(CLOSE, 40), true);
});

Deno.test("RecoveryClient counts waves from the last loss on", () => {
  const client = holding();
  assert.equal(client.received(MARK, 10), false);
  client.lost({ first: 20, last: 20 }, 20);
  assert.equal(client.received(MARK, 30), false);
  assert.equal(client.received(MARK, 40), true);
});

Deno.test("RecoveryClient waits 1.5 s after a mark", () => {
  const client = holding();
  client.received(MARK, 400 * MS);
  assert.equal(client.poll(1_899 * MS), undefined);
  assert.deepEqual(client.poll(1_900 * MS), REQUEST_KEY);
});
