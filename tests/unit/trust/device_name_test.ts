import assert from "node:assert/strict";
import fc from "fast-check";
import { cleanDeviceName } from "../../../src/trust/device_name.ts";
import { isClientLabel } from "../../../src/trust/gamestream_clients.ts";
import { PHONE } from "./native_fixture.ts";

Deno.test("cleanDeviceName() leaves one short line that hides and reorders nothing", () => {
  const table = [
    ["Phone", "Phone"],
    ["  my \t phone\r\n", "my phone"],
    ["a\u0000b\u001b[2Jc\u0085d", "a b [2Jc d"],
    ["ab\u202egnp.exe\u2066\u200b", "abgnp.exe"],
    ["a\u2028b\u2029c", "a b c"],
    ["\ud800x", "\ufffdx"],
    ["😀".repeat(65), "😀".repeat(64)],
    [`${"x".repeat(63)} y`, "x".repeat(63)],
    ["", "Device abababab"],
    [" \u202e\n", "Device abababab"],
  ];
  for (const [name = "", shown = ""] of table) assert.equal(cleanDeviceName(name, PHONE), shown);
});

Deno.test("cleanDeviceName() makes a name that can be kept, and keeps what it made", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
    const name = cleanDeviceName(text, PHONE);
    assert.ok(isClientLabel(name));
    assert.equal(cleanDeviceName(name, PHONE), name);
  }));
});
