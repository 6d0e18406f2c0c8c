/**
 * Parameters of `/launch` and `/resume` (GameStream specification 2.8).
 *
 * @module
 */

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
