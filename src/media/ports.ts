/**
 * The ports a session's pumps are built on. Everything here is opened inside a pump Worker from a *spec*, which is
 * plain data: the main isolate decides, the Worker opens, uses and closes.
 *
 * What all of them promise:
 * - `close()` twice is legal; after it every other call throws OperationError "failed".
 * - An error a person can act on is an OperationError; a broken shim is a NativeError. Both end the pump, which
 *   closes what it opened, last first, and reports.
 * - No call keeps a reference to its arguments.
 *
 * @module
 */
import type { AccessUnitKind, WaveMark } from "../protocol/wire_job.ts";
import type { NativeBytes } from "./native_bytes.ts";
import type { MotionScript } from "./sources/motion_schedule.ts";

export type PixelFormat = "bgrx" | "rgbx" | "i420";

export interface VideoFrame {
  readonly data: NativeBytes;
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Of the first plane. In i420 the chroma planes follow with half of it. */
  readonly strideBytes: number;
  readonly format: PixelFormat;
  /** When the picture was shown or drawn: CLOCK_MONOTONIC, microseconds. */
  readonly capturedAtUs: number;
}

/** Which picture to open, as plain data that crosses to the Worker. */
export type VideoSourceSpec =
  | {
    readonly kind: "synthetic";
    readonly widthPixels: number;
    readonly heightPixels: number;
    readonly refreshMilliHz: number;
    /**
     * "still" shows one picture for ever, "noise" is the hardest to encode, "text" scrolls, "blank" gives the first
     * picture again and again, each with its own time.
     */
    readonly content: "motion" | "still" | "noise" | "text" | "blank";
    /** When a new picture comes. Absent: always. A "still" has none. */
    readonly script?: MotionScript;
  }
  | {
    readonly kind: "wlroots";
    /** Absolute path of the compositor's socket. */
    readonly socketPath: string;
    readonly outputName: string;
    readonly hasCursor: boolean;
  };

/**
 * A source of pictures, pulled by one caller.
 *
 * `next(timeoutMs)` resolves with the newest picture not yet returned, older ones are skipped; with null when none
 * came in time. It blocks no event loop. The frame's bytes stay valid and unchanged until the following call of
 * `next` or `close`, also through a null: the caller repeats the last picture from them. The first call returns
 * what is on the screen now, without waiting for a change. A source paces itself: it never returns more than its
 * refresh rate. Throws OperationError "capture-lost" when the picture is gone for good (output removed,
 * compositor gone).
 */
export interface VideoSource extends Disposable {
  /** One line for logs, e.g. "wlr-screencopy HEADLESS-2". */
  readonly description: string;
  next(timeoutMs: number): Promise<VideoFrame | null>;
  close(): void;
}

export type VideoCodec = "h264" | "hevc" | "av1";

export interface VideoEncoderSpec {
  readonly codec: VideoCodec;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly refreshMilliHz: number;
  readonly bitrateKbps: number;
  readonly slices: number;
  readonly referenceFrames: number;
  readonly colorSpace: "bt601" | "bt709" | "bt2020";
  readonly isFullRange: boolean;
}

/** Bytes to be checked instead of a picture; see `encoders/pattern.ts`. */
export interface PatternEncoderSpec {
  readonly codec: "pattern";
  readonly refreshMilliHz: number;
  readonly bitrateKbps: number;
  /** Size of an IDR, in percent of another unit's. */
  readonly idrPercent: number;
  /** Of the rate, how much units fill: 1…100. */
  readonly fillPercent: number;
  /** Answer requests for an IDR with a wave of so many units, at least 2; undefined with an IDR. */
  readonly waveUnits: number | undefined;
  /** Whether `setBitrate` changes the size. */
  readonly isFollowingBitrate: boolean;
  /** No unit is larger: what cannot be sent would be asked for again for ever. */
  readonly unitBytesMax: number;
}

export interface AccessUnit {
  /** Valid until the next `encode` or `close`. Annex B for H.264 and HEVC, OBU stream for AV1. */
  readonly data: NativeBytes;
  readonly kind: AccessUnitKind;
  /** Where it begins or ends a wave of intra refresh, which answers a request for an IDR. */
  readonly wave?: WaveMark;
}

/**
 * A low-delay encoder: one AU for each picture, no reordering, no skipped pictures, infinite GOP.
 *
 * `encode` blocks its thread for the encoding time. The frame may be larger than the spec by up to one pixel per
 * axis (odd sizes): the surplus is cropped. Its bytes are read only during the call. The first AU is an IDR.
 */
export interface VideoEncoder extends Disposable {
  /** One line for logs, e.g. "OpenH264 2.3.1". */
  readonly description: string;
  encode(
    frame: VideoFrame,
    options: { readonly isIdrWanted: boolean; readonly frameIndex: number },
  ): AccessUnit;
  /** Takes effect with the next AU, without an IDR. */
  setBitrate(kbps: number): void;
  /**
   * Never predict from frames firstFrameIndex…lastFrameIndex again. True when the next AU will be of kind
   * "p-after-invalidation"; false when it has to be asked for as an IDR.
   */
  invalidateReferences(firstFrameIndex: number, lastFrameIndex: number): boolean;
  close(): void;
}

/** 48 kHz interleaved 32-bit float, channels FL FR FC LFE BL BR SL SR (the first 2, 6 or 8). */
export interface AudioFrame {
  readonly data: NativeBytes;
  readonly samplesPerChannel: number;
  readonly capturedAtUs: number;
}

export type AudioChannels = 2 | 6 | 8;

export type AudioSourceSpec =
  | { readonly kind: "synthetic"; readonly channels: AudioChannels }
  | {
    readonly kind: "pipewire";
    readonly channels: AudioChannels;
    /** Absolute path of PipeWire's socket. */
    readonly socketPath: string;
    /** node.name of the sink whose monitor is captured. */
    readonly sinkName: string;
  };

/**
 * A source of sound, pulled by one caller at the sound's own pace.
 *
 * `next(samplesPerChannel, timeoutMs)` resolves with exactly that many samples, or null when they did not come in
 * time; a source that is suspended or starved delivers silence at the nominal rate, so null is the exception. The
 * bytes stay valid until the following call.
 */
export interface AudioSource extends Disposable {
  readonly description: string;
  next(samplesPerChannel: number, timeoutMs: number): Promise<AudioFrame | null>;
  close(): void;
}

export interface AudioEncoderSpec {
  readonly channels: AudioChannels;
  readonly streams: number;
  readonly coupledStreams: number;
  /** One entry per channel: which decoded stream channel feeds it. */
  readonly mapping: readonly number[];
  readonly bitrateBps: number;
  readonly frameDurationMs: 5 | 10;
}

/** Opus, restricted low delay, constant bitrate: every packet of a stream has the same size. */
export interface AudioEncoder extends Disposable {
  /** The packet is valid until the next call. */
  encode(frame: AudioFrame): NativeBytes;
  close(): void;
}
