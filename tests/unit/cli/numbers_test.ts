import assert from "node:assert/strict";
import { decimalNumber, wholeNumber } from "../../../src/cli/numbers.ts";

Deno.test("wholeNumber() takes both ends of its range and nothing else", () => {
  const parse = wholeNumber({ least: 64, most: 8192 });
  assert.equal(parse("64"), 64);
  assert.equal(parse("8192"), 8192);
  for (const text of ["63", "8193", "", " 64", "64.0", "6e1", "0x40", "-64", "+64", "64px"]) {
    assert.throws(() => parse(text), /^RangeError: it must be a whole number, 64 to 8192$/, text);
  }
});

Deno.test("decimalNumber() takes decimals, and leaves the lower end out when told to", () => {
  const inclusive = decimalNumber({ least: 0.5, most: 8000 });
  assert.equal(inclusive("0.5"), 0.5);
  assert.equal(inclusive("8000"), 8000);
  for (const text of ["0.49", "8000.1", "1.", ".5", "Infinity", "NaN", "1e3", "1,5"]) {
    assert.throws(() => inclusive(text), /^RangeError: it must be a number, 0.5 to 8000$/, text);
  }
  const exclusive = decimalNumber({ above: 0, most: 3600 });
  assert.equal(exclusive("0.001"), 0.001);
  for (const text of ["0", "0.0", "3601"]) {
    assert.throws(
      () => exclusive(text),
      /^RangeError: it must be a number, more than 0, up to 3600$/,
    );
  }
});
