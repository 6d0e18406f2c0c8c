/**
 * Parameters of `/launch` and `/resume` (GameStream specification 2.8).
 *
 *     name                              form                       needed by
 *     rikey                             32 hex digits              both
 *     rikeyid                           signed decimal, 32 bits    both
 *     appid                             decimal, 0 .. 2^31 - 1     launch
 *     mode                              W x H x FPS                launch
 *     corever                           decimal
 *     surroundParams                    decimal digits
 *     remoteControllersBitmap, gcmap    decimal bit mask
 *     hdrMode, localAudioPlayMode,      0 or 1
 *     continuousAudio, gcpersist
 *
 * FPS may carry decimals or come multiplied by 1000. What is not needed and not understood reads as absent: clients
 * differ, and a game that starts without surround sound is better than one that does not start.
 *
 * @module
 */
import { parseHex } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { MODE_HEIGHT_MAX, MODE_WIDTH_MAX, REFRESH_MILLIHZ_MAX } from "../../lib/limits.ts";

const RIKEY_SIZE_BYTES = 16;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const COREVER_MAX = 1000;
/** Channels, streams, coupled streams and up to eight mapping digits, with room for a later form. */
const SURROUND_PARAMS_DIGITS_MAX = 32;
/** A whole rate from here on is millihertz: no display runs at a thousand pictures a second. */
const FPS_FROM_WHICH_MILLIHERTZ = 1000;

export interface LaunchParameters {
  /** Absent on some clients' `/resume`. */
  readonly appId: number | undefined;
  /** `mode=WxHxFPS`; refreshMilliHz 0 means "see ANNOUNCE". */
  readonly mode:
    | {
      readonly widthPixels: number;
      readonly heightPixels: number;
      readonly refreshMilliHz: number;
    }
    | undefined;
  /** AES-128 session key, 16 bytes. */
  readonly rikey: Uint8Array;
  /** Signed 32-bit. */
  readonly rikeyId: number;
  /** 1 and above: the client speaks encrypted RTSP. Absent reads as undefined. */
  readonly corever: number | undefined;
  readonly isHdrWanted: boolean;
  readonly isHeardOnHost: boolean;
  /** Digits of a custom Opus layout, checked for form, or undefined. */
  readonly surroundParams: string | undefined;
  readonly isAudioContinuous: boolean;
  /** Pads attached at the start, one bit each. */
  readonly padMask: number;
  readonly arePadsPersistent: boolean;
}

/** Decode the query of `/launch`, or of `/resume` where little is required. Throws ProtocolError. */
export function parseLaunchParameters(
  query: URLSearchParams,
  options: { readonly isResume: boolean },
): LaunchParameters {
  const rikeyText = query.get("rikey") ?? "";
  const rikey = parseHex(rikeyText);
  if (rikey?.byteLength !== RIKEY_SIZE_BYTES) {
    throw invalid("rikey", `not ${RIKEY_SIZE_BYTES * 2} hexadecimal digits`);
  }
  const rikeyId = parseInteger(query.get("rikeyid"), { min: INT32_MIN, max: INT32_MAX });
  if (rikeyId === undefined) throw invalid("rikeyid", "not a signed number of 32 bits");
  const appId = parseInteger(query.get("appid"), { min: 0, max: INT32_MAX });
  const mode = parseMode(query.get("mode"));
  if (!options.isResume) {
    if (appId === undefined) throw invalid("appid", "not a number of 31 bits");
    if (mode === undefined) throw invalid("mode", "not WIDTHxHEIGHTxFPS within the limits");
  }
  const pads = query.get("remoteControllersBitmap") ?? query.get("gcmap");
  const surroundParams = query.get("surroundParams");
  return {
    appId,
    mode,
    rikey,
    rikeyId,
    corever: parseInteger(query.get("corever"), { min: 0, max: COREVER_MAX }),
    isHdrWanted: isSet(query, "hdrMode"),
    isHeardOnHost: isSet(query, "localAudioPlayMode"),
    surroundParams: surroundParams !== null && isSurroundForm(surroundParams)
      ? surroundParams
      : undefined,
    isAudioContinuous: isSet(query, "continuousAudio"),
    padMask: parseInteger(pads, { min: 0, max: 0xffff }) ?? 0,
    arePadsPersistent: isSet(query, "gcpersist"),
  };
}

function parseMode(text: string | null): LaunchParameters["mode"] {
  const match = /^(\d{1,5})x(\d{1,5})x(\d{1,7})(?:\.(\d{1,6}))?$/.exec(text ?? "");
  if (match === null) return undefined;
  const widthPixels = Number(match[1]);
  const heightPixels = Number(match[2]);
  const fps = Number(`${match[3]}.${match[4] ?? "0"}`);
  const refreshMilliHz = fps >= FPS_FROM_WHICH_MILLIHERTZ && match[4] === undefined
    ? fps
    : Math.round(fps * 1000);
  if (widthPixels < 1 || widthPixels > MODE_WIDTH_MAX) return undefined;
  if (heightPixels < 1 || heightPixels > MODE_HEIGHT_MAX) return undefined;
  if (refreshMilliHz > REFRESH_MILLIHZ_MAX) return undefined;
  return { widthPixels, heightPixels, refreshMilliHz };
}

function parseInteger(
  text: string | null,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  if (text === null || !/^[+-]?\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  // `+ 0` turns the -0 of "-0" into 0.
  return value >= range.min && value <= range.max ? value + 0 : undefined;
}

function isSurroundForm(text: string): boolean {
  return text.length <= SURROUND_PARAMS_DIGITS_MAX && /^\d+$/.test(text);
}

function isSet(query: URLSearchParams, name: string): boolean {
  return query.get(name) === "1";
}

function invalid(name: string, reason: string): ProtocolError {
  return new ProtocolError("malformed", `Cannot start: parameter ${name} is ${reason}`);
}
