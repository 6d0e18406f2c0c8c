import assert from "node:assert/strict";
import {
  CLOSE_CODES,
  closeReasonOf,
  isRefusalCode,
} from "../../../../src/protocol/punktfunk1/close_codes.ts";

Deno.test("closeReasonOf() inverts CLOSE_CODES and names no other code", () => {
  for (const [reason, code] of Object.entries(CLOSE_CODES)) {
    assert.equal(closeReasonOf(code), reason);
  }
  for (const code of [0x02, 0x41, 0x50, 0x5f, 0x6c, 0x70, 0xffff_ffff]) {
    assert.equal(closeReasonOf(code), undefined);
  }
});

Deno.test("isRefusalCode() takes 0x42 and 0x60 to 0x6f", () => {
  const codes = Array.from({ length: 256 }, (_, code) => code).filter(isRefusalCode);
  assert.deepEqual(codes, [0x42, ...Array.from({ length: 16 }, (_, index) => 0x60 + index)]);
});
