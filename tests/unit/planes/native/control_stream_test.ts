import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import { ControlStream } from "../../../../src/planes/native/control_stream.ts";
import { encodeFrame } from "../../../../src/protocol/punktfunk1/framing.ts";
import type { QuicStream } from "../../../../src/quic/ports.ts";
import { connectFakes } from "../../../support/fake_quic.ts";

async function openPair() {
  const clock = new FakeClock();
  const { client, host } = connectFakes();
  const stream = await client.openStream();
  const accepted = await host.acceptStream();
  assert.ok(stream && accepted);
  return { clock, client, host, stream, control: new ControlStream(accepted, clock) };
}

Deno.test("ControlStream gives whole messages however their bytes arrive", async () => {
  const { stream, control } = await openPair();
  const bytes = new Uint8Array([
    ...encodeFrame(Uint8Array.of(1, 2)),
    ...encodeFrame(new Uint8Array(0)),
  ]);
  for (const byte of bytes) await stream.write(Uint8Array.of(byte));
  await stream.write(encodeFrame(Uint8Array.of(3)));
  assert.deepEqual(await control.next(), Uint8Array.of(1, 2));
  assert.deepEqual(await control.next(), new Uint8Array(0));
  assert.deepEqual(await control.next(), Uint8Array.of(3));
});

Deno.test("ControlStream ends with the connection, and with the stream", async () => {
  const first = await openPair();
  const waiting = first.control.next();
  first.client.close(0, "");
  assert.equal(await waiting, undefined);
  assert.equal(first.control.send(Uint8Array.of(1)), true);
  await first.control.flush();
  assert.equal(first.control.send(Uint8Array.of(1)), false);
  const second = await openPair();
  await second.stream.finish();
  assert.equal(await second.control.next(), undefined);
});

Deno.test("ControlStream says that the peer sends nothing once the time is over", async () => {
  const { clock, control } = await openPair();
  const waiting = control.next(10_000);
  clock.advance(10_000);
  await assert.rejects(
    waiting,
    (error) => error instanceof OperationError && error.code === "unreachable",
  );
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("ControlStream sends messages in the order they were given", async () => {
  const { stream, control } = await openPair();
  for (let i = 0; i < 3; i++) assert.ok(control.send(Uint8Array.of(i)));
  await control.flush();
  for (let i = 0; i < 3; i++) assert.deepEqual(await stream.read(), encodeFrame(Uint8Array.of(i)));
});

Deno.test("ControlStream refuses to queue without end for a peer that does not read", () => {
  const stalled: QuicStream = {
    read: () => new Promise(() => {}),
    write: () => new Promise(() => {}),
    finish: () => Promise.resolve(),
    abort() {},
  };
  const control = new ControlStream(stalled, new FakeClock());
  let taken = 0;
  while (control.send(new Uint8Array(60_000))) taken++;
  assert.ok(taken >= 16 && taken < 18, `${taken}`);
});

Deno.test("ControlStream is over when its stack fails, and nobody waits for it in vain", async () => {
  const broken: QuicStream = {
    read: () => Promise.resolve(undefined),
    write: () => Promise.reject(new TypeError("another write waits already")),
    finish: () => Promise.resolve(),
    abort() {},
  };
  const control = new ControlStream(broken, new FakeClock());
  assert.equal(control.send(Uint8Array.of(1)), true);
  await control.flush();
  assert.equal(control.send(Uint8Array.of(2)), false);
});
