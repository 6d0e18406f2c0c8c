import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  parseRequestTarget,
  readDeviceName,
  REQUEST_PARAMETERS_MAX,
  REQUEST_TARGET_SIZE_BYTES_MAX,
} from "../../../../src/protocol/gamestream/nvhttp_request.ts";

Deno.test("parseRequestTarget() splits path and parameters", () => {
  const { path, query } = parseRequestTarget("/pair?uniqueid=0123&devicename=a%20b&x&uniqueid=9?");
  assert.equal(path, "/pair");
  assert.deepEqual([...query], [
    ["uniqueid", "0123"],
    ["devicename", "a b"],
    ["x", ""],
    ["uniqueid", "9?"],
  ]);
  assert.deepEqual(parseRequestTarget("/serverinfo").query.size, 0);
  assert.equal(parseRequestTarget("/").path, "/");
});

Deno.test("parseRequestTarget() takes 16 KiB and 64 parameters and not one more", () => {
  const longest = "/" + "a".repeat(REQUEST_TARGET_SIZE_BYTES_MAX - 1);
  assert.equal(parseRequestTarget(longest).path, longest);
  assert.throws(() => parseRequestTarget(`${longest}a`), isLimit);
  const parameters = Array.from({ length: REQUEST_PARAMETERS_MAX }, () => "a=b").join("&");
  assert.equal(parseRequestTarget(`/?${parameters}`).query.size, REQUEST_PARAMETERS_MAX);
  assert.throws(() => parseRequestTarget(`/?${parameters}&c`), isLimit);
});

Deno.test("parseRequestTarget() refuses what is no path", () => {
  for (const target of ["", "*", "serverinfo", "http://a/serverinfo", "?a=b"]) {
    assert.throws(() => parseRequestTarget(target), ProtocolError);
  }
});

Deno.test("parseRequestTarget() inverts what a client writes", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), (pairs) => {
    const { path, query } = parseRequestTarget(`/a?${new URLSearchParams(pairs)}`);
    assert.equal(path, "/a");
    assert.deepEqual([...query], pairs);
  }));
});

Deno.test("parseRequestTarget() and readDeviceName() throw only ProtocolError on arbitrary text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    try {
      const { query } = parseRequestTarget(`/?devicename=${text}`);
      const name = readDeviceName(query);
      assert.ok([...name].length <= 64 && !/[\p{Cc}\p{Cf}]/u.test(name) && name.isWellFormed());
      parseRequestTarget(text);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

Deno.test("readDeviceName() gives a name fit for showing", () => {
  const nameOf = (devicename: string) => readDeviceName(new URLSearchParams({ devicename }));
  assert.equal(nameOf("Pixel  8\n"), "Pixel 8");
  assert.equal(nameOf("a\u202eb\u0000c"), "a b c");
  assert.equal(nameOf("roth"), "");
  assert.equal(nameOf("rothupdateState=1"), "");
  assert.equal(nameOf("😀".repeat(65)), "😀".repeat(64));
  assert.equal(readDeviceName(new URLSearchParams()), "");
});

function isLimit(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === "limit";
}
