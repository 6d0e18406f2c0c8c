import assert from "node:assert/strict";
import fc from "fast-check";
import { parseHex, toHex } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  CONTROL_MESSAGE_BYTES_MAX,
  CONTROL_REPLAY_WINDOW,
  ControlOpener,
  ControlSealer,
} from "../../../../src/protocol/gamestream/control.ts";
import vectors from "../../../vectors/gamestream-control.json" with { type: "json" };

const bytesOf = (text: string) => parseHex(text) ?? assert.fail(`not hexadecimal: ${text}`);
const KEY = bytesOf(vectors.rikey);
const OPTIONS = { key: KEY, sender: "client", isV2: true } as const;
const MESSAGE = bytesOf("020302000000");

const ALL_VECTORS = [
  ...vectors.v2.map((vector) => ({ ...vector, isV2: true })),
  ...vectors.legacy.map((vector) => ({ ...vector, isV2: false })),
];

for (const { isV2, meaning, direction, sequence, plaintext, message } of ALL_VECTORS) {
  const edition = isV2 ? "v2" : "legacy";
  const sender = direction === "client->host" ? "client" : "host";

  Deno.test(`ControlSealer and ControlOpener agree with the ${edition} vector "${meaning}" of the ${sender}`, () => {
    const sealer = new ControlSealer({ key: KEY, sender, isV2 });
    for (let skipped = 0; skipped < sequence; skipped++) sealer.seal(MESSAGE);
    assert.equal(toHex(sealer.seal(bytesOf(plaintext))), message);
    const opener = new ControlOpener({ key: KEY, sender, isV2 });
    assert.equal(toHex(opener.open(bytesOf(message))), plaintext);
  });
}

Deno.test("ControlOpener.open() refuses the other direction's frames in v2", () => {
  const frame = new ControlSealer({ ...OPTIONS, sender: "host" }).seal(MESSAGE);
  assert.throws(() => new ControlOpener(OPTIONS).open(frame), { code: "authentication" });
});

Deno.test("ControlOpener.open() refuses every changed byte, every shortened and lengthened form", () => {
  const frame = new ControlSealer(OPTIONS).seal(MESSAGE);
  const opener = new ControlOpener(OPTIONS);
  for (let index = 0; index < frame.byteLength; index++) {
    const changed = frame.slice();
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.throws(() => opener.open(changed), { name: "ProtocolError" }, `byte ${index}`);
    assert.throws(() => opener.open(frame.subarray(0, index)), { code: "short" });
  }
  assert.throws(() => opener.open(new Uint8Array([...frame, 0])), { code: "trailing" });
  assert.deepEqual(opener.open(frame), MESSAGE);
});

Deno.test("ControlOpener.open() takes frames in any order and each once", () => {
  const sealer = new ControlSealer(OPTIONS);
  const frames = Array.from({ length: 40 }, () => sealer.seal(MESSAGE));
  const opener = new ControlOpener(OPTIONS);
  for (const frame of [...frames].reverse()) assert.deepEqual(opener.open(frame), MESSAGE);
  for (const frame of frames) {
    assert.throws(() => opener.open(frame), { code: "authentication" });
  }
});

Deno.test("ControlOpener.open() takes a number at the edge of the replay window and none beyond", () => {
  const sealer = new ControlSealer(OPTIONS);
  const [first, second] = [sealer.seal(MESSAGE), sealer.seal(MESSAGE)];
  for (let sequence = 2; sequence < CONTROL_REPLAY_WINDOW; sequence++) sealer.seal(MESSAGE);
  const opener = new ControlOpener(OPTIONS);
  opener.open(sealer.seal(MESSAGE));
  assert.throws(() => opener.open(first), { code: "authentication" });
  assert.deepEqual(opener.open(second), MESSAGE);
  assert.throws(() => opener.open(second), { code: "authentication" });
});

Deno.test("ControlOpener.open() takes numbers of a later round whose bits an earlier one set", () => {
  const sealer = new ControlSealer(OPTIONS);
  const opener = new ControlOpener(OPTIONS);
  opener.open(sealer.seal(MESSAGE));
  opener.open(sealer.seal(MESSAGE));
  for (let sequence = 2; sequence < CONTROL_REPLAY_WINDOW; sequence++) sealer.seal(MESSAGE);
  const late = sealer.seal(MESSAGE);
  opener.open(sealer.seal(MESSAGE));
  assert.deepEqual(opener.open(late), MESSAGE);
});

Deno.test("ControlOpener does not let a forged frame move the replay window", () => {
  const sealer = new ControlSealer(OPTIONS);
  const frame = sealer.seal(MESSAGE);
  const forged = frame.slice();
  forged.set([0xff, 0xff, 0xff, 0xff], 4);
  const opener = new ControlOpener(OPTIONS);
  assert.throws(() => opener.open(forged), { code: "authentication" });
  assert.deepEqual(opener.open(frame), MESSAGE);
});

Deno.test("ControlSealer.seal() takes a message at the limit and none beyond", () => {
  const sealer = new ControlSealer(OPTIONS);
  const longest = new Uint8Array(CONTROL_MESSAGE_BYTES_MAX);
  assert.deepEqual(new ControlOpener(OPTIONS).open(sealer.seal(longest)), longest);
  assert.throws(() => sealer.seal(new Uint8Array(CONTROL_MESSAGE_BYTES_MAX + 1)), {
    code: "limit",
  });
});

Deno.test("ControlOpener.open() inverts ControlSealer.seal()", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 200 }),
      fc.boolean(),
      fc.constantFrom("client", "host"),
      (message, isV2, sender) => {
        const options = { key: KEY, sender, isV2 } as const;
        assert.deepEqual(
          new ControlOpener(options).open(new ControlSealer(options).seal(message)),
          message,
        );
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("ControlOpener.open() throws only ProtocolError on arbitrary bytes", () => {
  const opener = new ControlOpener(OPTIONS);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, isFramed) => {
    if (isFramed && bytes.byteLength >= 4) bytes.set([1, 0, bytes.byteLength - 4, 0]);
    try {
      opener.open(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});
