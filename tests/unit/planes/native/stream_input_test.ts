import assert from "node:assert/strict";
import type { VoicePacket } from "../../../../src/audio/microphone_stream.ts";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { StreamInput } from "../../../../src/planes/native/stream_input.ts";
import type { InputEvent } from "../../../../src/protocol/input_event.ts";
import { GRANTS, GRANTS_ALL } from "../../../../src/protocol/punktfunk1/caps.ts";
import { encodeDatagram } from "../../../../src/protocol/punktfunk1/datagrams/datagram.ts";

const KEY = {
  kind: "key",
  virtualKey: 0x41,
  isDown: true,
  modifiers: 0,
  isPositional: true,
} as const;
const MOTION = { kind: "pointer-motion", dx: 3, dy: -4 } as const;
const VOICE = { sequence: 7, ptsNs: 0n, payload: Uint8Array.of(1, 2, 3) };

function openInput(grants: number) {
  const events: InputEvent[] = [];
  const voices: VoicePacket[] = [];
  let releases = 0;
  const input = new StreamInput({
    session: {
      input: (event) => events.push(event),
      voice: (packet) => voices.push(packet),
      releaseInput: () => void releases++,
    },
    clock: new FakeClock(),
    padKind: "auto",
    grants,
  });
  return { input, events, voices, releases: () => releases };
}

Deno.test("StreamInput injects what is granted and drops the rest", () => {
  const { input, events } = openInput(GRANTS.pointer);
  input.datagram(encodeDatagram("input", KEY));
  input.datagram(encodeDatagram("input", MOTION));
  assert.deepEqual(events, [MOTION]);
});

Deno.test("StreamInput takes the same event from a datagram and from an input edge", () => {
  const { input, events } = openInput(GRANTS_ALL);
  input.datagram(encodeDatagram("input", KEY));
  input.edge(encodeDatagram("input", KEY));
  assert.deepEqual(events, [KEY, KEY]);
});

Deno.test("StreamInput drops what nobody could have sent", () => {
  const { input, events } = openInput(GRANTS_ALL);
  for (const bytes of [[], [0xc8], [0xff, 1, 2], [0xc9, ...new Array(20).fill(0)]]) {
    input.datagram(Uint8Array.from(bytes));
  }
  input.edge(new Uint8Array(18));
  assert.deepEqual(events, []);
});

Deno.test("StreamInput passes the client's voice on only with its right", () => {
  const allowed = openInput(GRANTS.microphone);
  allowed.input.datagram(encodeDatagram("microphone", VOICE));
  assert.deepEqual(allowed.voices, [{ sequence: 7, payload: Uint8Array.of(1, 2, 3) }]);
  const silent = openInput(GRANTS_ALL & ~GRANTS.microphone);
  silent.input.datagram(encodeDatagram("microphone", VOICE));
  assert.deepEqual(silent.voices, []);
});

Deno.test("StreamInput lets go of everything when a right is taken away, and at its end", () => {
  const { input, events, releases } = openInput(GRANTS.keyboard);
  input.setGrants(GRANTS_ALL);
  assert.equal(releases(), 0);
  input.setGrants(GRANTS.pointer);
  assert.equal(releases(), 1);
  input.datagram(encodeDatagram("input", KEY));
  assert.deepEqual(events, []);
  input[Symbol.dispose]();
  assert.equal(releases(), 2);
});
