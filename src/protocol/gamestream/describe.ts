/**
 * The payload of DESCRIBE: lines the client searches for (GameStream specification 4.5).
 *
 *     a=x-ss-general.featureFlags:N              bit 0 pen and touch, bit 1 pad touch and motion
 *     a=x-ss-general.encryptionSupported:N       bit 0 control v2, bit 1 video, bit 2 audio
 *     a=x-ss-general.encryptionRequested:N       the same bits
 *     a=x-nv-video[0].refPicInvalidation:1       present: reference frames can be invalidated
 *     sprop-parameter-sets=AAAAAU                present: HEVC
 *     a=rtpmap:98 AV1/90000                      present: AV1
 *     a=fmtp:97 surround-params=…                see audio_layouts.ts
 *
 * @module
 */
import { type CustomAudioLayout, surroundLines } from "./audio_layouts.ts";

/** Bits of encryptionSupported, encryptionRequested and ANNOUNCE's encryptionEnabled. */
export const ENCRYPT_CONTROL = 1;
export const ENCRYPT_VIDEO = 2;
export const ENCRYPT_AUDIO = 4;

export interface StreamCapabilities {
  readonly hasPenAndTouch: boolean;
  readonly hasPadTouchAndMotion: boolean;
  /** ENCRYPT_* bits. */
  readonly encryptionSupported: number;
  readonly encryptionRequested: number;
  readonly hasReferenceInvalidation: boolean;
  /** What can be encoded now, and no more: these lines overrule serverinfo. */
  readonly codecs: readonly ("h264" | "hevc" | "av1")[];
  readonly customAudio: CustomAudioLayout | undefined;
}

export function formatDescribe(capabilities: StreamCapabilities): string {
  const featureFlags = (capabilities.hasPenAndTouch ? 1 : 0) |
    (capabilities.hasPadTouchAndMotion ? 2 : 0);
  const lines = [
    `a=x-ss-general.featureFlags:${featureFlags}`,
    `a=x-ss-general.encryptionSupported:${capabilities.encryptionSupported}`,
    `a=x-ss-general.encryptionRequested:${capabilities.encryptionRequested}`,
  ];
  if (capabilities.hasReferenceInvalidation) lines.push("a=x-nv-video[0].refPicInvalidation:1");
  if (capabilities.codecs.includes("hevc")) lines.push("sprop-parameter-sets=AAAAAU");
  if (capabilities.codecs.includes("av1")) lines.push("a=rtpmap:98 AV1/90000");
  for (const params of surroundLines(capabilities.customAudio)) {
    lines.push(`a=fmtp:97 surround-params=${params}`);
  }
  return lines.map((line) => `${line}\r\n`).join("");
}
