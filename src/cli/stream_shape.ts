/**
 * The flags that shape the streams of `punktfunk1-host --source synthetic-abr` (product specification 1.3). What the parsers
 * throw completes "Cannot use FLAG: …".
 *
 *     steady                  a picture each interval
 *     idle-then-motion        one picture, after 5 s a picture each interval
 *     frame-driven:FPS        FPS pictures a second, or as many as the mode has
 *     motion-then-still:FPS   the same for 5 s, then none
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import { ALWAYS_MOVING, type MotionScript } from "../media/sources/motion_schedule.ts";
import type { StreamShape } from "../native_host.ts";
import { wholeNumber } from "./numbers.ts";

/** Long enough for a client's automatic bitrate to settle before and after. */
const SCENE_MS = 5_000;
const FPS_MAX = 1000;
/** A client knows a wave by its first and its last unit. */
const WAVE_UNITS_MIN = 2;
const WAVE_UNITS_MAX = 1000;

const parseFps = wholeNumber({ least: 1, most: FPS_MAX });
const parseWaveUnits = wholeNumber({ least: WAVE_UNITS_MIN, most: WAVE_UNITS_MAX });

/** How a request for a key frame is answered. */
export interface KeyframeAnswer {
  /** Units of a wave; undefined is a key frame. */
  readonly waveUnits: number | undefined;
}

export type StreamShapeFlags = Readonly<
  Partial<{
    content: MotionScript;
    fill: number;
    recoveryMs: number;
    keyframeAnswer: KeyframeAnswer;
  }>
>;

/** steady | idle-then-motion | frame-driven:FPS | motion-then-still:FPS */
export function parseContent(text: string): MotionScript {
  if (text === "steady") return ALWAYS_MOVING;
  if (text === "idle-then-motion") return { hz: undefined, fromMs: SCENE_MS, untilMs: undefined };
  const [name, fps, ...rest] = text.split(":");
  const isDriven = name === "frame-driven";
  if (fps === undefined || rest.length > 0 || !(isDriven || name === "motion-then-still")) {
    throw new RangeError(
      "it must be steady, idle-then-motion, frame-driven:FPS or motion-then-still:FPS",
    );
  }
  return { hz: parseFps(fps), fromMs: 0, untilMs: isDriven ? undefined : SCENE_MS };
}

/** idr | wave:N */
export function parseKeyframeAnswer(text: string): KeyframeAnswer {
  if (text === "idr") return { waveUnits: undefined };
  const [name, units, ...rest] = text.split(":");
  if (name !== "wave" || units === undefined || rest.length > 0) {
    throw new RangeError("it must be idr or wave:N");
  }
  return { waveUnits: parseWaveUnits(units) };
}

/** Throws OperationError "invalid" for a flag that `source` has no use for. */
export function shapeOf(flags: StreamShapeFlags, source: string): StreamShape {
  const given = {
    "--content": flags.content,
    "--fill": flags.fill,
    "--recovery-ms": flags.recoveryMs,
    "--keyframe-answer": flags.keyframeAnswer,
  };
  const [flag] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (flag !== undefined && source !== "synthetic-abr") {
    throw new OperationError("invalid", `Cannot use ${flag}: only --source synthetic-abr has it`);
  }
  return {
    script: flags.content ?? ALWAYS_MOVING,
    fillPercent: flags.fill ?? 100,
    recoveryMs: flags.recoveryMs ?? 0,
    waveUnits: flags.keyframeAnswer?.waveUnits,
  };
}
