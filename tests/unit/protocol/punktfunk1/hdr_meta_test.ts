import assert from "node:assert/strict";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  decodeHdrMeta,
  encodeHdrMeta,
  type HdrMeta,
} from "../../../../src/protocol/punktfunk1/hdr_meta.ts";

/** The body of the specification's HDR datagram, 10.7: primaries of BT.2020, 1000 nits. */
const BYTES = Uint8Array.fromHex("3421aa9b9619fc08488a0839133d42408096980032000000e8039001");
const META: HdrMeta = {
  green: { x: 8500, y: 39_850 },
  blue: { x: 6550, y: 2300 },
  red: { x: 35_400, y: 14_600 },
  white: { x: 15_635, y: 16_450 },
  maxLuminance10000: 10_000_000,
  minLuminance10000: 50,
  maxContentNits: 1000,
  maxFrameAverageNits: 400,
};

Deno.test("decodeHdrMeta() reads the specification's, and encodeHdrMeta() writes it", () => {
  assert.deepEqual(decodeHdrMeta(BYTES), META);
  assert.deepEqual(encodeHdrMeta(META), BYTES);
});

Deno.test("decodeHdrMeta() rejects every shortened form and a longer one", () => {
  for (let size = 0; size < BYTES.byteLength; size++) {
    assert.throws(() => decodeHdrMeta(BYTES.subarray(0, size)), ProtocolError);
  }
  assert.throws(() => decodeHdrMeta(new Uint8Array([...BYTES, 0])), ProtocolError);
});
