import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { ControlOutbox } from "../../../../src/planes/native/control_outbox.ts";
import type { ControlMessage } from "../../../../src/protocol/punktfunk1/control.ts";

const MUTED: ControlMessage = { kind: "audio-state", isMuted: true };
const ECHO: ControlMessage = {
  kind: "clock-echo",
  probeSentNs: 1n,
  probeReceivedNs: 2n,
  echoSentNs: 3n,
};

function openOutbox() {
  const clock = new FakeClock();
  const sent: string[] = [];
  const outbox = new ControlOutbox({ clock, send: (message) => sent.push(message.kind) });
  return { clock, sent, outbox };
}

Deno.test("ControlOutbox sends echoes at once, and the rest after the eighth", () => {
  const { clock, sent, outbox } = openOutbox();
  outbox.begin();
  outbox.send(MUTED);
  for (let round = 0; round < 7; round++) outbox.send(ECHO);
  assert.deepEqual(sent, Array(7).fill("clock-echo"));
  outbox.send(ECHO);
  outbox.send(MUTED);
  assert.deepEqual(sent.slice(7), ["clock-echo", "audio-state", "audio-state"]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("ControlOutbox waits a second from Start for a client that asks for no time", () => {
  const { clock, sent, outbox } = openOutbox();
  outbox.send(MUTED);
  clock.advance(5_000);
  assert.deepEqual(sent, []);
  outbox.begin();
  clock.advance(999);
  assert.deepEqual(sent, []);
  clock.advance(1);
  assert.deepEqual(sent, ["audio-state"]);
});

Deno.test("ControlOutbox does not let a client pile up answers", () => {
  const { sent, outbox } = openOutbox();
  outbox.begin();
  for (let asked = 0; asked < 64; asked++) outbox.send(MUTED);
  assert.equal(sent.length, 0);
  outbox.send(MUTED);
  assert.equal(sent.length, 65);
});

Deno.test("ControlOutbox leaves no timer and says nothing more when it is closed", () => {
  const { clock, sent, outbox } = openOutbox();
  outbox.begin();
  outbox.send(MUTED);
  outbox[Symbol.dispose]();
  clock.advance(10_000);
  assert.deepEqual([sent, clock.pendingTimers], [[], 0]);
});
