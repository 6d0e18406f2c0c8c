import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { checkCode, closedHere, cutReason } from "../../../src/quic/close.ts";

Deno.test("cutReason() keeps 256 bytes and no half character", () => {
  for (
    const [reason, text] of [
      ["", ""],
      ["busy", "busy"],
      ["x".repeat(256), "x".repeat(256)],
      ["x".repeat(257), "x".repeat(256)],
      ["é".repeat(129), "é".repeat(128)],
      ["x" + "é".repeat(128), "x" + "é".repeat(127)],
      ["xx" + "🎮".repeat(64), "xx" + "🎮".repeat(63)],
    ] as const
  ) {
    const cut = cutReason(reason);
    assert.equal(cut.text, text);
    assert.deepEqual(cut.bytes, new TextEncoder().encode(text));
  }
});

Deno.test("checkCode() takes whole numbers of 32 bits alone", () => {
  for (const code of [0, 0x42, 0xffff_ffff]) checkCode(code);
  for (const code of [-1, 1.5, 0x1_0000_0000, NaN, Infinity]) {
    assert.throws(
      () => checkCode(code),
      (error) => error instanceof OperationError && error.code === "invalid",
    );
  }
});

Deno.test("closedHere() is an application's close by this end", () => {
  assert.deepEqual(closedHere(0x42, "busy"), {
    kind: "application",
    isByPeer: false,
    code: 0x42,
    reason: "busy",
  });
});
