import assert from "node:assert/strict";
import { CLOSE_CODES, closeReasonOf } from "../../../../src/protocol/punktfunk1/close_codes.ts";

Deno.test("closeReasonOf() inverts CLOSE_CODES and names no other code", () => {
  for (const [reason, code] of Object.entries(CLOSE_CODES)) {
    assert.equal(closeReasonOf(code), reason);
  }
  for (const code of [0x02, 0x41, 0x50, 0x5f, 0x6c, 0x70, 0xffff_ffff]) {
    assert.equal(closeReasonOf(code), undefined);
  }
});
