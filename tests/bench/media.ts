/**
 * What a frame costs before it is cut into packets: drawing, converting, coding; and a block of sound.
 *
 * @module
 */
import { H264Encoder } from "../../ffi/h264.ts";
import { type PictureContent, PictureDrawer } from "../../ffi/picture.ts";
import { openAudioEncoder, openVideoEncoder } from "../../src/media/encoders/registry.ts";
import { ToneGenerator } from "../../src/media/sources/tone.ts";
import { type BenchRow, type BenchVariant, runBench } from "./bench.ts";

const SIZES = [
  { name: "1280x720", widthPixels: 1280, heightPixels: 720 },
  { name: "1920x1080", widthPixels: 1920, heightPixels: 1080 },
  { name: "3840x2160", widthPixels: 3840, heightPixels: 2160 },
] as const;
const CONTENTS: readonly PictureContent[] = ["motion", "text", "noise"];
const ROUNDS = 40;
const BITRATE_KBPS = 20_000;
const REFRESH_MILLIHZ = 60_000;

type Size = (typeof SIZES)[number];

async function benchDrawing(): Promise<BenchRow[]> {
  using stack = new DisposableStack();
  const variants = SIZES.flatMap((size) =>
    CONTENTS.map((content): BenchVariant => {
      const drawer = stack.use(new PictureDrawer({ ...size, content }));
      let counter = 0;
      return { name: `${size.name} ${content}`, run: () => void drawer.draw(0, counter++) };
    })
  );
  return await runBench("draw the test picture", variants, { rounds: ROUNDS });
}

async function benchLoading(): Promise<BenchRow[]> {
  using stack = new DisposableStack();
  const variants = SIZES.map((size): BenchVariant => {
    const drawer = stack.use(new PictureDrawer({ ...size, content: "text" }));
    const encoder = stack.use(
      new H264Encoder({
        ...size,
        refreshMilliHz: REFRESH_MILLIHZ,
        slices: 1,
        threads: 1,
        referenceFrames: 1,
        levelIdc: 52,
        matrix: "bt709",
        isFullRange: false,
      }),
    );
    const picture = drawer.draw(0, 0);
    return {
      name: size.name,
      run: () => void encoder.load({ ...picture, ...size, format: "bgrx" }),
    };
  });
  return await runBench("convert to 4:2:0 and measure", variants, { rounds: ROUNDS });
}

async function encodingVariant(
  stack: DisposableStack,
  size: Size,
  options: { readonly content: PictureContent; readonly slices: number },
): Promise<BenchVariant> {
  const drawer = stack.use(new PictureDrawer({ ...size, content: options.content }));
  const encoder = stack.use(
    await openVideoEncoder({
      ...size,
      codec: "h264",
      refreshMilliHz: REFRESH_MILLIHZ,
      bitrateKbps: BITRATE_KBPS,
      slices: options.slices,
      referenceFrames: 1,
      colorSpace: "bt709",
      isFullRange: false,
    }),
  );
  let frameIndex = 0;
  let picture = drawer.draw(0, 0);
  return {
    name: `${size.name} ${options.content}, ${options.slices} slices`,
    run: () => {
      const capturedAtUs = 1_000_000 + Math.round(frameIndex * 1e6 / 60);
      const frame = { ...size, ...picture, data: picture, format: "bgrx" as const, capturedAtUs };
      encoder.encode(frame, { isIdrWanted: false, frameIndex });
    },
    cleanUp: () => {
      picture = drawer.draw(0, ++frameIndex);
      return Promise.resolve();
    },
  };
}

async function benchEncoding(): Promise<BenchRow[]> {
  using stack = new DisposableStack();
  const variants: BenchVariant[] = [];
  for (const size of SIZES.slice(0, 2)) {
    for (const content of CONTENTS) {
      variants.push(await encodingVariant(stack, size, { content, slices: 1 }));
    }
    variants.push(await encodingVariant(stack, size, { content: "motion", slices: 4 }));
  }
  const group = `encode H.264 at ${BITRATE_KBPS} kbit/s, conversion included`;
  return await runBench(group, variants, { rounds: ROUNDS });
}

async function benchSound(): Promise<BenchRow[]> {
  using stack = new DisposableStack();
  const variants: BenchVariant[] = [];
  for (
    const [channels, streams, coupledStreams, bitrateBps] of [
      [2, 1, 1, 96_000],
      [2, 1, 1, 512_000],
      [8, 5, 3, 450_000],
    ] as const
  ) {
    const mapping = Array.from({ length: channels }, (_, index) => index);
    const layout = { channels, streams, coupledStreams, mapping, bitrateBps };
    const encoder = stack.use(await openAudioEncoder({ ...layout, frameDurationMs: 5 }));
    const samples = new Float32Array(240 * channels);
    new ToneGenerator(channels).fill(samples);
    const pointer = Deno.UnsafePointer.of(samples);
    if (pointer === null) throw new Error("Cannot bench sound: the samples have no address");
    const data = { pointer, sizeBytes: samples.byteLength };
    variants.push({
      name: `${channels} channels at ${bitrateBps / 1000} kbit/s`,
      run: () =>
        void encoder.encode({
          data,
          samplesPerChannel: samples.length / channels,
          capturedAtUs: 0,
        }),
    });
  }
  return await runBench("encode 5 ms of Opus", variants, { rounds: ROUNDS * 5 });
}

export async function benchMedia(): Promise<BenchRow[]> {
  return [
    ...await benchDrawing(),
    ...await benchLoading(),
    ...await benchEncoding(),
    ...await benchSound(),
  ];
}
