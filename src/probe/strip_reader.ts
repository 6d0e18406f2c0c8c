/**
 * Reads the clock strips of received pictures: the stream goes to ffmpeg, whose gray pictures are read from a pipe. It runs
 * after the stream, so that decoding takes no time from receiving.
 *
 *     file → ffmpeg → picture n ↔ unit n → drawn at … received at …
 *
 * The strips tell CLOCK_MONOTONIC of the machine that drew them: the difference means something on that machine alone.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import type { WireCodec } from "../protocol/punktfunk1/enums.ts";
import { readClockStrips } from "./clock_strips.ts";
import { Samples } from "./statistics.ts";
import type { UnitFile } from "./unit_file.ts";

/** ffmpeg's names of elementary streams. */
const FORMATS: Partial<Record<WireCodec, string>> = { h264: "h264", hevc: "hevc", av1: "obu" };
/** A difference beyond is no latency: it is another machine's clock. */
const LATENCY_MS_MAX = 60_000;

export interface StripReadings {
  readonly pictures: number;
  /** Pictures whose strips could be read. */
  readonly readable: number;
  /** Milliseconds; empty unless every unit gave one picture and the clock is this machine's. */
  readonly drawnToReceived: Samples;
}

/** Throws OperationError "unavailable" when there is no ffmpeg to run. */
export async function requireDecoder(): Promise<void> {
  try {
    await new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null", stderr: "null" })
      .output();
  } catch (cause) {
    throw new OperationError("unavailable", "Cannot read clock strips: ffmpeg does not run", {
      remedy: "Install ffmpeg so that it is on PATH",
      cause,
    });
  }
}

/** Decode `file`, closed by now, of pictures of `size`. Throws OperationError when ffmpeg cannot. */
export async function readStripsOf(
  file: Pick<UnitFile, "path" | "count" | "receivedAtUs">,
  { codec, width, height }: {
    readonly codec: WireCodec;
    readonly width: number;
    readonly height: number;
  },
): Promise<StripReadings> {
  const format = FORMATS[codec];
  if (format === undefined) {
    throw new OperationError("unavailable", `Cannot read clock strips: no decoder for ${codec}`);
  }
  const drawnAtUs: (number | undefined)[] = [];
  for await (const data of decodeGray(file.path, { format, pictureBytes: width * height })) {
    const strips = readClockStrips({
      data,
      widthPixels: width,
      heightPixels: height,
      strideBytes: width,
      pixelSizeBytes: 1,
      offsetBytes: 0,
    });
    drawnAtUs.push(strips?.drawnAtUs);
  }
  const drawnToReceived = new Samples();
  // With a unit that gave no picture nobody can tell which picture is whose.
  const isPaired = drawnAtUs.length === file.count;
  for (const [index, drawn] of isPaired ? drawnAtUs.entries() : []) {
    const received = file.receivedAtUs[index];
    if (drawn === undefined || received === undefined) continue;
    const latencyMs = (received - drawn) / 1000;
    if (latencyMs >= 0 && latencyMs <= LATENCY_MS_MAX) drawnToReceived.add(latencyMs);
  }
  return {
    pictures: drawnAtUs.length,
    readable: drawnAtUs.filter((drawn) => drawn !== undefined).length,
    drawnToReceived,
  };
}

/** Brightness of one picture after another; each is valid until the next. */
async function* decodeGray(
  path: string,
  { format, pictureBytes }: { readonly format: string; readonly pictureBytes: number },
): AsyncGenerator<Uint8Array> {
  const input = ["-v", "error", "-nostdin", "-f", format, "-i", path];
  const output = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"];
  const child = new Deno.Command("ffmpeg", {
    args: [...input, ...output],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const picture = new Uint8Array(pictureBytes);
  let filled = 0;
  for await (const chunk of child.stdout) {
    for (let from = 0; from < chunk.byteLength;) {
      const part = chunk.subarray(from, from + pictureBytes - filled);
      picture.set(part, filled);
      from += part.byteLength;
      filled += part.byteLength;
      if (filled < pictureBytes) continue;
      filled = 0;
      yield picture;
    }
  }
  const { success } = await child.status;
  if (!success) {
    throw new OperationError("failed", "Cannot read clock strips: ffmpeg cannot decode the stream");
  }
}
