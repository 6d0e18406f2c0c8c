/**
 * The rate on the real encoder. The pictures are the same in every run and one thread codes them, so the figures are too.
 *
 * Limits of what can be asked: noise at 1280x720, 60 Hz needs 10 Mbit/s even at quantiser 51, and scrolling text is done
 * with 4 Mbit/s at the finest quantiser.
 */
import assert from "node:assert/strict";
import { PictureDrawer } from "../../../../ffi/picture.ts";
import { openVideoEncoder } from "../../../../src/media/encoders/registry.ts";
import type { VideoEncoder } from "../../../../src/media/ports.ts";

const HD = { widthPixels: 1280, heightPixels: 720 };
/** A quarter of the pixels, for what takes many pictures of noise. */
const SMALL = { widthPixels: 640, heightPixels: 360 };
const INTERVAL_US = 1e6 / 60;

class Stream implements Disposable {
  readonly #encoder: VideoEncoder;
  readonly #drawers = new Map<string, PictureDrawer>();
  #frameIndex = 0;

  private constructor(encoder: VideoEncoder, readonly size: typeof HD) {
    this.#encoder = encoder;
  }

  static async open(bitrateKbps: number, size = HD): Promise<Stream> {
    return new Stream(
      await openVideoEncoder({
        codec: "h264",
        ...size,
        refreshMilliHz: 60_000,
        bitrateKbps,
        slices: 1,
        referenceFrames: 1,
        colorSpace: "bt709",
        isFullRange: false,
      }),
      size,
    );
  }

  setBitrate(kbps: number): void {
    this.#encoder.setBitrate(kbps);
  }

  /** Sizes in bits; every `repeats` pictures are the same one. */
  encode(content: "noise" | "text" | "motion", count: number, repeats = 1): number[] {
    let drawer = this.#drawers.get(content);
    if (drawer === undefined) {
      drawer = new PictureDrawer({ ...this.size, content });
      this.#drawers.set(content, drawer);
    }
    const sizes: number[] = [];
    let picture = drawer.draw(0, this.#frameIndex);
    for (let index = 0; index < count; index++) {
      const capturedAtUs = 1_000_000 + Math.round(this.#frameIndex * INTERVAL_US);
      if (index % repeats === 0) picture = drawer.draw(capturedAtUs, this.#frameIndex);
      const unit = this.#encoder.encode({
        ...this.size,
        data: picture,
        strideBytes: picture.strideBytes,
        format: "bgrx",
        capturedAtUs,
      }, { isIdrWanted: false, frameIndex: this.#frameIndex++ });
      sizes.push(unit.data.sizeBytes * 8);
    }
    return sizes;
  }

  [Symbol.dispose](): void {
    this.#encoder.close();
    for (const drawer of this.#drawers.values()) drawer.close();
  }
}

function rateKbps(bits: readonly number[]): number {
  return bits.reduce((sum, size) => sum + size, 0) / (bits.length * INTERVAL_US) * 1000;
}

function assertNear(actualKbps: number, askedKbps: number): void {
  const share = actualKbps / askedKbps;
  assert.ok(Math.abs(share - 1) <= 0.1, `${(share * 100).toFixed(1)} % of ${askedKbps} kbit/s`);
}

for (
  const [content, askedKbps] of [
    ["text", 1_000],
    ["text", 3_000],
    ["noise", 15_000],
    ["noise", 40_000],
  ] as const
) {
  Deno.test(`OpenH264 keeps ${content} at ${askedKbps} kbit/s within 10 % over two seconds`, async () => {
    using stream = await Stream.open(askedKbps);
    const [idrBits = 0, ...bits] = stream.encode(content, 120);
    const shareBits = askedKbps * INTERVAL_US / 1000;
    assertNear(rateKbps([idrBits, ...bits]), askedKbps);
    const largest = Math.max(...bits) / shareBits;
    assert.ok(largest <= 3, `the largest picture took ${largest.toFixed(2)} shares`);
    // At 1000 kbit/s no quantiser makes the IDR of this text smaller.
    assert.ok(idrBits / shareBits <= (askedKbps === 1_000 ? 10 : 8));
  });
}

Deno.test("OpenH264 takes up a new bitrate within half a second, downwards and upwards", async () => {
  using stream = await Stream.open(10_000, SMALL);
  stream.encode("noise", 60);
  for (const askedKbps of [3_000, 15_000, 5_000]) {
    stream.setBitrate(askedKbps);
    stream.encode("noise", 30);
    assertNear(rateKbps(stream.encode("noise", 30)), askedKbps);
  }
});

Deno.test("OpenH264 bounds the first picture of new content, though it cannot take it back", async () => {
  using stream = await Stream.open(4_000, SMALL);
  const shareBits = 4_000 * INTERVAL_US / 1000;
  stream.encode("motion", 40);
  for (const content of ["noise", "text", "noise", "motion", "text"] as const) {
    const largest = Math.max(...stream.encode(content, 30)) / shareBits;
    assert.ok(largest <= 3, `${content}: ${largest.toFixed(2)} shares`);
  }
});

Deno.test("OpenH264 sharpens a still picture without exceeding the rate, then sends next to nothing", async () => {
  using stream = await Stream.open(10_000);
  const bits = stream.encode("text", 180, 180);
  assert.ok(rateKbps(bits) <= 10_000);
  assert.ok(rateKbps(bits.slice(120)) < 200);
});
