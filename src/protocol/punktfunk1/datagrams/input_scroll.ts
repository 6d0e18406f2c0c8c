/**
 * Scrolling (specification 7.1, kinds 6 and 16). Positive is up or right in both.
 *
 *     kind  code            x                                   flags
 *     6     axis            whole 1/120 detents, or pixels × 12  bit 0: x is a measured distance
 *     16    axis, y is 0    Q24.8: 1/120 detents, or pixels      source | phase << 8
 *
 * Kind 16 counts detents for the sources 0 unknown and 1 wheel, pixels for all others. 60 pixels stand for one detent.
 *
 * @module
 */
import type { ScrollEvent, ScrollPhase, ScrollSource, SmoothScroll } from "../../input_event.ts";
import { encodeInputFields, INPUT_KINDS, type InputFields } from "./input_fields.ts";

/** Amounts and pixels beyond this in one event are a fault of the client's and are taken back to it. */
export const SCROLL_AMOUNT_MAX = 32_767;

const AMOUNT_PER_PIXEL = 120 / 60;
const STEPS_PER_PIXEL = 12;
const STEPS_FLAG_MEASURED = 1;
const FIXED_POINT_ONE = 256;
const AXES = ["vertical", "horizontal"] as const;

const SOURCE_WHEEL = 1;
/** By their number on the wire; the first two turn a wheel. */
const SOURCES: readonly (ScrollSource | undefined)[] = [
  undefined,
  undefined,
  "finger",
  "continuous",
  "touch",
  "controller",
];
/** By their number on the wire. */
const PHASES: readonly ScrollPhase[] = [
  "none",
  "begin",
  "update",
  "end",
  "cancel",
  "momentum-begin",
  "momentum",
  "momentum-end",
];
const PHASES_WITHOUT_MOVEMENT: readonly ScrollPhase[] = ["end", "cancel", "momentum-end"];
const MOMENTUM_PHASES: readonly ScrollPhase[] = ["momentum-begin", "momentum", "momentum-end"];
const SOURCES_WITH_MOMENTUM: readonly ScrollSource[] = ["finger", "continuous", "touch"];

/** Kind 6. Undefined for an axis that is not known. */
export function decodeScrollSteps({ code, x, flags }: InputFields): ScrollEvent | undefined {
  const axis = AXES[code];
  if (axis === undefined) return undefined;
  if ((flags & STEPS_FLAG_MEASURED) === 0) return stepsOf(axis, x);
  return smoothOf(axis, { pixels: x / STEPS_PER_PIXEL, source: "unknown", phase: "none" });
}

/** Kind 16. Undefined where one of its rules is broken. */
export function decodeScroll({ code, x, y, flags }: InputFields): ScrollEvent | undefined {
  const axis = AXES[code];
  const sourceNumber = flags & 0xff;
  const phase = PHASES[flags >>> 8];
  if (axis === undefined || y !== 0 || sourceNumber >= SOURCES.length || phase === undefined) {
    return undefined;
  }
  if (PHASES_WITHOUT_MOVEMENT.includes(phase) && x !== 0) return undefined;
  const source = SOURCES[sourceNumber];
  if (source === undefined) {
    return phase === "none" ? stepsOf(axis, x / FIXED_POINT_ONE) : undefined;
  }
  if (MOMENTUM_PHASES.includes(phase) && !SOURCES_WITH_MOMENTUM.includes(source)) return undefined;
  return smoothOf(axis, { pixels: x / FIXED_POINT_ONE, source, phase });
}

/** As a client with all capabilities writes it; whole steps and measures of no known source take kind 6. */
export function encodeScroll({ axis, amount120, smooth }: ScrollEvent): Uint8Array<ArrayBuffer> {
  const code = AXES.indexOf(axis);
  if (smooth === undefined) {
    return Number.isInteger(amount120)
      ? encodeInputFields(INPUT_KINDS.scrollSteps, { code, x: amount120 })
      : encodeInputFields(INPUT_KINDS.scroll, {
        code,
        x: Math.round(amount120 * FIXED_POINT_ONE),
        flags: SOURCE_WHEEL,
      });
  }
  const { pixels, source, phase } = smooth;
  if (source === "unknown") {
    const x = Math.round(pixels * STEPS_PER_PIXEL);
    return encodeInputFields(INPUT_KINDS.scrollSteps, { code, x, flags: STEPS_FLAG_MEASURED });
  }
  return encodeInputFields(INPUT_KINDS.scroll, {
    code,
    x: Math.round(pixels * FIXED_POINT_ONE),
    flags: SOURCES.indexOf(source) | PHASES.indexOf(phase) << 8,
  });
}

function stepsOf(axis: ScrollEvent["axis"], amount120: number): ScrollEvent {
  return { kind: "scroll", axis, amount120: clampAmount(amount120) };
}

function smoothOf(axis: ScrollEvent["axis"], measured: SmoothScroll): ScrollEvent {
  const pixels = clampAmount(measured.pixels);
  return {
    kind: "scroll",
    axis,
    amount120: clampAmount(pixels * AMOUNT_PER_PIXEL),
    smooth: { pixels, source: measured.source, phase: measured.phase },
  };
}

function clampAmount(amount: number): number {
  return Math.min(Math.max(amount, -SCROLL_AMOUNT_MAX), SCROLL_AMOUNT_MAX);
}
