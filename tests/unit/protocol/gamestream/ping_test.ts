import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  decodePing,
  encodePing,
  PING_SIZE_BYTES,
  PingTracker,
} from "../../../../src/protocol/gamestream/ping.ts";

const PAYLOAD = "8f3c0a1b5d7e9240";
const payloadBytes = new TextEncoder().encode(PAYLOAD);
const LEGACY = new TextEncoder().encode("PING");
const HOME = { address: "192.0.2.7", port: 50000 };
const MOVED = { address: "198.51.100.9", port: 40000 };

Deno.test("decodePing() reads the payload and the counter behind it", () => {
  const bytes = Uint8Array.fromHex(`${payloadBytes.toHex()}00000102`);
  assert.deepEqual(decodePing(bytes), { kind: "session", payload: payloadBytes, counter: 258 });
  assert.deepEqual(encodePing(payloadBytes, 258), bytes);
});

Deno.test("decodePing() rejects every other length and other words", () => {
  const bytes = new Uint8Array(PING_SIZE_BYTES + 1);
  for (let length = 0; length <= bytes.length; length++) {
    if (length === PING_SIZE_BYTES) continue;
    assert.throws(() => decodePing(bytes.subarray(0, length)), ProtocolError);
  }
  assert.throws(() => decodePing(new TextEncoder().encode("PONG")), ProtocolError);
  assert.deepEqual(decodePing(LEGACY), { kind: "legacy" });
});

Deno.test("decodePing() inverts encodePing()", () => {
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.nat(0xffff_ffff),
    (payload, counter) => {
      const ping = decodePing(encodePing(payload, counter));
      assert.ok(ping.kind === "session");
      assert.deepEqual([...ping.payload], [...payload]);
      assert.equal(ping.counter, counter);
    },
  ));
});

Deno.test("decodePing() throws only ProtocolError on arbitrary bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
    try {
      decodePing(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

Deno.test("PingTracker adopts the first ping with the right payload", () => {
  const tracker = new PingTracker({ kind: "payload", payload: PAYLOAD });
  assert.equal(tracker.destination, undefined);
  assert.equal(tracker.accept(encodePing(payloadBytes, 1), HOME), true);
  assert.deepEqual(tracker.destination, HOME);
  assert.equal(tracker.accept(encodePing(payloadBytes, 2), HOME), false);
});

Deno.test("PingTracker follows a client that moves, and no recorded ping", () => {
  const tracker = new PingTracker({ kind: "payload", payload: PAYLOAD });
  tracker.accept(encodePing(payloadBytes, 5), HOME);
  for (const counter of [0, 4, 5]) {
    assert.equal(tracker.accept(encodePing(payloadBytes, counter), MOVED), false);
  }
  assert.deepEqual(tracker.destination, HOME);
  assert.equal(tracker.accept(encodePing(payloadBytes, 6), MOVED), true);
  assert.deepEqual(tracker.destination, MOVED);
  const otherPort = { ...MOVED, port: 40001 };
  assert.equal(tracker.accept(encodePing(payloadBytes, 7), otherPort), true);
  assert.deepEqual(tracker.destination, otherPort);
});

Deno.test("PingTracker takes everything else for noise", () => {
  const tracker = new PingTracker({ kind: "payload", payload: PAYLOAD });
  const wrong = payloadBytes.slice();
  wrong[15] = 0;
  for (const bytes of [LEGACY, new Uint8Array(0), encodePing(wrong, 9), new Uint8Array(1400)]) {
    assert.equal(tracker.accept(bytes, HOME), false);
  }
  assert.equal(tracker.destination, undefined);
  // A wrong payload must not use up counters either.
  assert.equal(tracker.accept(encodePing(payloadBytes, 1), HOME), true);
});

Deno.test("PingTracker goes by the address for clients without payloads", () => {
  const tracker = new PingTracker({ kind: "address", address: HOME.address });
  assert.equal(tracker.accept(LEGACY, MOVED), false);
  assert.equal(tracker.accept(new Uint8Array(3), HOME), false);
  assert.equal(tracker.accept(LEGACY, HOME), true);
  assert.equal(tracker.accept(LEGACY, { ...HOME, port: 1234 }), true);
  assert.deepEqual(tracker.destination, { ...HOME, port: 1234 });
});

Deno.test("PingTracker refuses a payload of another size", () => {
  assert.throws(() => new PingTracker({ kind: "payload", payload: "short" }), RangeError);
});
