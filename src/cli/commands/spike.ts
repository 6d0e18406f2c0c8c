/**
 * `spike`: source → encoder → file, and every access unit through packets, loss and repair (product specification 1.4).
 *
 * @module
 */
import { OperationError } from "../../lib/errors.ts";
import { openVideoEncoder } from "../../media/encoders/registry.ts";
import { copyNativeBytes } from "../../media/native_bytes.ts";
import type { VideoEncoder, VideoSource, VideoSourceSpec } from "../../media/ports.ts";
import { openVideoSource } from "../../media/sources/registry.ts";
import type { WireKernelCore } from "../../media/wire/kernel.ts";
import { openNativeKernel } from "../../media/wire/native_kernel.ts";
import { createReferenceKernel } from "../../media/wire/reference_kernel.ts";
import type { CliEnvironment, CommandRun, JsonFlag } from "../environment.ts";
import { Loopback, seededRandom } from "../loopback.ts";
import { type CommandOutput, printProgress } from "../print.ts";

export type SpikeFlags =
  & JsonFlag
  & Readonly<
    Partial<{
      source: "synthetic" | "virtual";
      width: number;
      height: number;
      fps: number;
      seconds: number;
      codec: "h264";
      bitrate: number;
      out: string;
      noLoopback: boolean;
      wireChunk: number;
      loss: number;
    }>
  >;

const LOSS_SEED = 1;
/** A source that shows nothing for so long shows nothing at all. */
const PICTURE_TIMEOUT_MS = 2_000;

interface Task {
  readonly frameCount: number;
  readonly durationUs: number;
  readonly loopback: Loopback | undefined;
  readonly file: Deno.FsFile;
}

interface Encoded {
  frames: number;
  keyFrames: number;
  bytes: number;
  elapsedUs: number;
}

export const run: CommandRun<SpikeFlags> = async (environment, flags) => {
  const { width = 1920, height = 1080, fps = 60, seconds = 5, bitrate = 20 } = flags;
  const mode = {
    widthPixels: width & ~1,
    heightPixels: height & ~1,
    refreshMilliHz: Math.round(fps * 1000),
  };
  const out = flags.out ?? `${temporaryDirectory(environment)}/punktfunk-spike.h264`;

  await using stack = new AsyncDisposableStack();
  const source = stack.use(
    await openSource(environment, flags.source ?? "synthetic", { mode, stack }),
  );
  const encoder = stack.use(
    await openVideoEncoder({
      ...mode,
      codec: flags.codec ?? "h264",
      bitrateKbps: Math.round(bitrate * 1000),
      slices: 1,
      referenceFrames: 1,
      colorSpace: "bt709",
      isFullRange: false,
    }),
  );
  const loopback = flags.noLoopback === true ? undefined : new Loopback({
    kernel: openKernel(stack),
    packetSizeBytes: flags.wireChunk ?? 1392,
    lossPercent: flags.loss ?? 0,
    random: seededRandom(LOSS_SEED),
  });
  const task: Task = {
    frameCount: Math.max(1, Math.round(seconds * fps)),
    durationUs: seconds * 1e6,
    loopback,
    file: stack.use(await createFile(out)),
  };
  const encoded = await encodeAll(environment, { source, encoder }, task);
  return describe(encoded, { out, loopback, parts: [source.description, encoder.description] });
};

function temporaryDirectory({ env }: CliEnvironment): string {
  return env.get("TMPDIR") || env.get("TEMP") || "/tmp";
}

async function openSource(
  environment: CliEnvironment,
  kind: "synthetic" | "virtual",
  { mode, stack }: {
    readonly mode: {
      readonly widthPixels: number;
      readonly heightPixels: number;
      readonly refreshMilliHz: number;
    };
    readonly stack: AsyncDisposableStack;
  },
): Promise<VideoSource> {
  let spec: VideoSourceSpec = { kind: "synthetic", ...mode, content: "motion" };
  if (kind === "virtual") {
    // Only here: the synthetic picture must work where nothing of a desktop can be loaded.
    const { requireCompositor } = await import("../compositor.ts");
    const backend = await requireCompositor(environment);
    spec = stack.use(await backend.createDisplay(mode)).videoSource;
  }
  return await openVideoSource(spec);
}

/** The kernel that sends, or its reference where the shim is not built. */
function openKernel(stack: AsyncDisposableStack): WireKernelCore {
  try {
    return stack.use(openNativeKernel());
  } catch (error) {
    if (error instanceof OperationError && error.code === "missing-library") {
      return createReferenceKernel();
    }
    throw error;
  }
}

async function createFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.create(path);
  } catch (cause) {
    throw new OperationError("storage", `Cannot write ${path}`, {
      remedy: "Choose another place with --out",
      cause,
    });
  }
}

async function encodeAll(
  environment: CliEnvironment,
  { source, encoder }: { readonly source: VideoSource; readonly encoder: VideoEncoder },
  { frameCount, durationUs, loopback, file }: Task,
): Promise<Encoded> {
  const clock = await environment.openClock();
  const encoded: Encoded = { frames: 0, keyFrames: 0, bytes: 0, elapsedUs: 0 };
  const startUs = clock.monotonicUs();
  while (
    encoded.frames < frameCount && encoded.elapsedUs < durationUs + PICTURE_TIMEOUT_MS * 1000
  ) {
    const frame = await source.next(PICTURE_TIMEOUT_MS);
    encoded.elapsedUs = clock.monotonicUs() - startUs;
    // A desktop that does not change sends no picture: that ends a run with what it has.
    if (frame === null) break;
    const unit = encoder.encode(frame, { isIdrWanted: false, frameIndex: encoded.frames + 1 });
    const bytes = copyNativeBytes(unit.data);
    for (let offset = 0; offset < bytes.byteLength;) {
      offset += await file.write(bytes.subarray(offset));
    }
    loopback?.pass(bytes, unit.kind, frame.capturedAtUs);
    encoded.frames++;
    encoded.keyFrames += unit.kind === "idr" ? 1 : 0;
    encoded.bytes += bytes.byteLength;
    printProgress(environment.terminal, `Frame ${encoded.frames} of ${frameCount}`);
  }
  printProgress(environment.terminal, null);
  if (encoded.frames === 0) {
    throw new OperationError(
      "capture-lost",
      `Cannot encode: ${source.description} gave no picture`,
    );
  }
  return encoded;
}

function describe(
  encoded: Encoded,
  { out, loopback, parts }: {
    readonly out: string;
    readonly loopback: Loopback | undefined;
    readonly parts: readonly string[];
  },
): CommandOutput {
  const elapsedSeconds = encoded.elapsedUs / 1e6;
  const data = {
    out,
    source: parts[0],
    encoder: parts[1],
    frames: encoded.frames,
    key_frames: encoded.keyFrames,
    bytes: encoded.bytes,
    seconds: Number(elapsedSeconds.toFixed(3)),
    loopback: loopback === undefined ? null : {
      packets: loopback.counts.packets,
      dropped_packets: loopback.counts.droppedPackets,
      repaired_frames: loopback.counts.repairedFrames,
      lost_frames: loopback.counts.lostFrames,
      wrong_frames: loopback.counts.wrongFrames,
    },
  };
  const lines = [
    `${parts.join(" → ")} → ${out}`,
    `${encoded.frames} frames (${encoded.keyFrames} key), ${encoded.bytes} bytes in ${
      elapsedSeconds.toFixed(1)
    } s`,
  ];
  if (loopback !== undefined) {
    const { packets, droppedPackets, repairedFrames, lostFrames, wrongFrames } = loopback.counts;
    lines.push(
      `Loopback: ${packets} packets, ${droppedPackets} dropped; ` +
        `${repairedFrames} frames repaired, ${lostFrames} lost, ${wrongFrames} wrong`,
    );
  }
  return {
    text: lines.join("\n"),
    data,
    exitCode: (loopback?.counts.wrongFrames ?? 0) > 0 ? 1 : 0,
  };
}
