/**
 * Looks into an H.264 stream: its NAL units, what its SPS says, and what ffmpeg makes of it.
 *
 * @module
 */
import assert from "node:assert/strict";

export const NAL_SLICE = 1;
export const NAL_IDR_SLICE = 5;
export const NAL_SPS = 7;
export const NAL_PPS = 8;

export interface Nal {
  readonly type: number;
  /** Where its start code begins. */
  readonly offset: number;
  /** Behind the header byte, emulation prevention removed. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Every byte must belong to a unit that follows a start code of 00 00 00 01. */
export function splitNals(unit: Uint8Array): Nal[] {
  const starts: number[] = [];
  for (let at = 0; at + 4 < unit.length; at++) {
    if (unit[at] === 0 && unit[at + 1] === 0 && unit[at + 2] === 0 && unit[at + 3] === 1) {
      starts.push(at);
    }
  }
  assert.equal(starts[0], 0, "the unit begins with a start code");
  return starts.map((offset, index) => {
    const end = starts[index + 1] ?? unit.length;
    const header = unit[offset + 4] ?? 0;
    assert.equal(header & 0x80, 0, "forbidden_zero_bit");
    return { type: header & 0x1F, offset, payload: unescape(unit.subarray(offset + 5, end)) };
  });
}

function unescape(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    kept.push(byte);
  }
  return new Uint8Array(kept);
}

class BitReader {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) {
      const byte = this.bytes[this.#at >> 3];
      assert.ok(byte !== undefined, "the SPS ends early");
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at++;
    }
    return value;
  }

  ue(): number {
    let zeros = 0;
    while (this.bits(1) === 0) zeros++;
    return 2 ** zeros - 1 + this.bits(zeros);
  }
}

export interface Sps {
  readonly profileIdc: number;
  readonly levelIdc: number;
  readonly referenceFrames: number;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly isFullRange: boolean;
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly reorderFramesMax: number;
  readonly bufferedFramesMax: number;
}

/** A High profile SPS of frame macroblocks, 4:2:0, 8 bits, with a VUI that has colours and restrictions. */
export function parseSps(payload: Uint8Array): Sps {
  const reader = new BitReader(payload);
  const profileIdc = reader.bits(8);
  reader.bits(8);
  const levelIdc = reader.bits(8);
  reader.ue(); // seq_parameter_set_id
  assert.equal(reader.ue(), 1, "chroma_format_idc");
  assert.equal(reader.ue(), 0, "bit_depth_luma_minus8");
  assert.equal(reader.ue(), 0, "bit_depth_chroma_minus8");
  assert.equal(reader.bits(2), 0, "no bypass, no scaling matrix");
  reader.ue(); // log2_max_frame_num_minus4
  assert.equal(reader.ue(), 0, "pic_order_cnt_type");
  reader.ue(); // log2_max_pic_order_cnt_lsb_minus4
  const referenceFrames = reader.ue();
  reader.bits(1); // gaps_in_frame_num_value_allowed_flag
  const columns = reader.ue() + 1;
  const rows = reader.ue() + 1;
  assert.equal(reader.bits(1), 1, "frame_mbs_only_flag");
  reader.bits(1); // direct_8x8_inference_flag
  const crop = reader.bits(1) === 1
    ? [reader.ue(), reader.ue(), reader.ue(), reader.ue()]
    : [0, 0, 0, 0];
  assert.deepEqual([crop[0], crop[2]], [0, 0], "cropped right and bottom only");
  assert.equal(reader.bits(1), 1, "vui_parameters_present_flag");
  return {
    profileIdc,
    levelIdc,
    referenceFrames,
    widthPixels: columns * 16 - 2 * (crop[1] ?? 0),
    heightPixels: rows * 16 - 2 * (crop[3] ?? 0),
    ...parseVui(reader),
  };
}

function parseVui(reader: BitReader) {
  assert.equal(reader.bits(2), 0, "no aspect ratio, no overscan");
  assert.equal(reader.bits(1), 1, "video_signal_type_present_flag");
  reader.bits(3); // video_format
  const isFullRange = reader.bits(1) === 1;
  assert.equal(reader.bits(1), 1, "colour_description_present_flag");
  const [primaries, transfer, matrix] = [reader.bits(8), reader.bits(8), reader.bits(8)];
  assert.equal(reader.bits(5), 0, "no chroma location, no timing, no HRD, no picture structure");
  assert.equal(reader.bits(1), 1, "bitstream_restriction_flag");
  reader.bits(1); // motion_vectors_over_pic_boundaries_flag
  for (let index = 0; index < 4; index++) reader.ue();
  return {
    isFullRange,
    primaries,
    transfer,
    matrix,
    reorderFramesMax: reader.ue(),
    bufferedFramesMax: reader.ue(),
  };
}

/** What ffmpeg decodes `stream` to: all pictures in `pixelFormat`, or the stream's own when undefined. */
export async function decodeWithFfmpeg(
  stream: Uint8Array,
  pixelFormat?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-v", "error", "-f", "h264", "-i", "pipe:0", "-fps_mode", "passthrough"],
      ...(pixelFormat === undefined ? [] : ["-pix_fmt", pixelFormat]),
      ...["-f", "rawvideo", "pipe:1"],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(stream).then(() => writer.close());
  const output = await child.output();
  await written;
  const complaints = new TextDecoder().decode(output.stderr);
  assert.ok(output.success && complaints === "", `ffmpeg: ${complaints}`);
  return output.stdout;
}
