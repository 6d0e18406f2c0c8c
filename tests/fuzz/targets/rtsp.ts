/**
 * What a stranger can send to the RTSP port.
 *
 * @module
 */
import { parseAnnounce } from "../../../src/protocol/gamestream/announce.ts";
import { parseSurroundParams } from "../../../src/protocol/gamestream/audio_layouts.ts";
import { parseRtspRequest, parseWholeRtspRequest } from "../../../src/protocol/gamestream/rtsp.ts";
import { RtspCrypto } from "../../../src/protocol/gamestream/rtsp_crypto.ts";
import vectors from "../../vectors/gamestream-rtsp.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

const encoder = new TextEncoder();
const REQUESTS = vectors.transcript.map(({ request }) => encoder.encode(request));
const KEY = Uint8Array.fromHex(vectors.rikey);

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "rtsp-request",
    seeds: REQUESTS,
    run: (bytes) => void parseRtspRequest(bytes),
  },
  {
    name: "rtsp-announce-request",
    seeds: REQUESTS.slice(5, 6),
    run: (bytes) => void parseAnnounce(parseWholeRtspRequest(bytes).body),
  },
  {
    name: "rtsp-announce-body",
    seeds: vectors.transcript.slice(5, 6).map(({ request }) =>
      encoder.encode(request.split("\r\n\r\n")[1])
    ),
    run: (bytes) => void parseAnnounce(bytes),
  },
  {
    name: "rtsp-frame",
    seeds: vectors.encryptedFrames.map(({ frame }) => Uint8Array.fromHex(frame)),
    run: (bytes) => void new RtspCrypto(KEY).open(bytes),
  },
  {
    name: "rtsp-surround-params",
    seeds: ["21101", "642014235", "85301623457"].map((text) => encoder.encode(text)),
    run: (bytes) => void parseSurroundParams(new TextDecoder().decode(bytes)),
  },
];
