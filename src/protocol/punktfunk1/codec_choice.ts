/**
 * Which codec a session gets (punktfunk/1 specification 2.6).
 *
 *     client's set      Hello's, or HEVC alone when it names none
 *     shared            in the client's set and the host's
 *     chosen            of the preferred ones that are shared the one with the lowest bit,
 *                       else the first shared of HEVC, AV1, H.264; PyroWave only by preference
 *
 * @module
 */
import { CODECS, type WireCodec } from "./enums.ts";
import type { Hello } from "./hello.ts";

const BY_BIT: readonly WireCodec[] = ["h264", "hevc", "av1", "pyrowave"];
const BY_MERIT: readonly WireCodec[] = ["hevc", "av1", "h264"];

/** The codec, or undefined when none is shared: close code 0x68. */
export function chooseCodec(
  { videoCodecs, preferredCodec }: Pick<Hello, "videoCodecs" | "preferredCodec">,
  hostCodecs: readonly WireCodec[],
): WireCodec | undefined {
  const clientBits = videoCodecs === 0 ? CODECS.hevc : videoCodecs;
  const isShared = (codec: WireCodec) =>
    (clientBits & CODECS[codec]) !== 0 && hostCodecs.includes(codec);
  const isPreferred = (codec: WireCodec) => (preferredCodec & CODECS[codec]) !== 0;
  return BY_BIT.find((codec) => isPreferred(codec) && isShared(codec)) ?? BY_MERIT.find(isShared);
}
