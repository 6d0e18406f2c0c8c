import assert from "node:assert/strict";
import { crc32, inflateSync } from "node:zlib";
import fc from "fast-check";
import {
  drawPlaceholderArt,
  PLACEHOLDER_HEIGHT_PIXELS,
  PLACEHOLDER_WIDTH_PIXELS,
} from "../../../src/library/placeholder_art.ts";
import { encodePng } from "../../../src/library/png.ts";

/** An independent reader of what encodePng() writes: chunks with checked sums, rows unfiltered. */
function decodePng(png: Uint8Array) {
  assert.equal(png.subarray(0, 8).toHex(), "89504e470d0a1a0a");
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks = new Map<string, Uint8Array>();
  for (let offset = 8; offset < png.byteLength;) {
    const size = view.getUint32(offset);
    const body = png.subarray(offset + 4, offset + 8 + size);
    assert.equal(view.getUint32(offset + 8 + size), crc32(body));
    chunks.set(new TextDecoder().decode(body.subarray(0, 4)), body.subarray(4));
    offset += size + 12;
  }
  assert.deepEqual([...chunks.keys()], ["IHDR", "IDAT", "IEND"]);
  const header = chunks.get("IHDR") ?? new Uint8Array();
  const headerView = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const widthPixels = headerView.getUint32(0);
  const heightPixels = headerView.getUint32(4);
  assert.equal(header.subarray(8).toHex(), "0802000000");
  const rows = inflateSync(chunks.get("IDAT") ?? new Uint8Array());
  const rowBytes = widthPixels * 3;
  assert.equal(rows.byteLength, (rowBytes + 1) * heightPixels);
  const rgb = new Uint8Array(rowBytes * heightPixels);
  for (let row = 0; row < heightPixels; row++) {
    assert.equal(rows[row * (rowBytes + 1)], 2);
    for (let index = 0; index < rowBytes; index++) {
      const above = row === 0 ? 0 : rgb[(row - 1) * rowBytes + index] ?? 0;
      rgb[row * rowBytes + index] = (rows[row * (rowBytes + 1) + 1 + index] ?? 0) + above;
    }
  }
  return { widthPixels, heightPixels, rgb };
}

Deno.test("encodePng() writes any picture so that a reader gets it back", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.infiniteStream(fc.nat(255)),
    (widthPixels, heightPixels, values) => {
      const rgb = Uint8Array.from(
        { length: widthPixels * heightPixels * 3 },
        () => values.next().value,
      );
      const size = { widthPixels, heightPixels };
      assert.deepEqual(decodePng(encodePng(rgb, size)), { ...size, rgb });
    },
  ));
  assert.throws(
    () => encodePng(new Uint8Array(2), { widthPixels: 1, heightPixels: 1 }),
    RangeError,
  );
});

Deno.test("drawPlaceholderArt() has the size clients take for a placeholder, and is small", () => {
  const png = drawPlaceholderArt();
  const { widthPixels, heightPixels, rgb } = decodePng(png);
  assert.deepEqual([widthPixels, heightPixels], [628, 888]);
  assert.deepEqual(
    [widthPixels, heightPixels],
    [PLACEHOLDER_WIDTH_PIXELS, PLACEHOLDER_HEIGHT_PIXELS],
  );
  assert.ok(png.byteLength < 64 * 1024, `${png.byteLength}`);
  assert.deepEqual(drawPlaceholderArt(), png);
  const pixel = (
    x: number,
    y: number,
  ) => [...rgb.subarray((y * 628 + x) * 3, (y * 628 + x) * 3 + 3)];
  assert.deepEqual(pixel(0, 0), [38, 30, 64]);
  assert.deepEqual(pixel(627, 887), [12, 14, 26]);
  assert.deepEqual(pixel(314, 330), [236, 106, 94]);
});
