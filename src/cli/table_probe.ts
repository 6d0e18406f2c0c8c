/**
 * The row of `probe` and the forms of its flags.
 *
 * @module
 */
import { parseHex } from "../lib/bytes.ts";
import { command } from "./command.ts";
import type { ProbeFlags } from "./commands/probe.ts";
import { decimalNumber, wholeNumber } from "./numbers.ts";
import { JSON_FLAG, optionalArgument, SWITCH, TEXT } from "./parameters.ts";

export const probe = command<ProbeFlags, [string?]>({
  brief: "Connect to a punktfunk host as a client, and measure and check what it streams",
  examples: [
    "probe --list",
    "probe 192.168.1.20 --pin 1234",
    "probe 127.0.0.1:9777 --seconds 10 --json --report run.html",
  ],
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [optionalArgument("HOST", "HOST or HOST:PORT; default port 9777")],
    },
    flags: {
      ...JSON_FLAG,
      list: { ...SWITCH, brief: "List the hosts of this network instead" },
      pin: { ...TEXT, placeholder: "PIN", brief: "Pair first, with the PIN that the host shows" },
      pairOnly: { ...SWITCH, brief: "Pair and do not stream" },
      deviceKey: { ...SWITCH, brief: "Prove who this is by its key instead of its certificate" },
      identity: {
        ...TEXT,
        placeholder: "DIR",
        brief: "Where identity and known hosts are; default the config directory",
      },
      fingerprint: {
        ...parsed(parseFingerprint, "HEX"),
        brief: "The host's certificate; default what was seen there first",
      },
      waitApproval: { ...SWITCH, brief: "Wait up to 185 s for somebody at the host to approve" },
      timeout: {
        ...parsed(decimalNumber({ above: 0, most: 600 }), "S"),
        brief: "For reaching the host, for its answer and without frames; default 15",
      },
      mode: { ...parsed(parseMode, "WxH@HZ"), brief: "Default 1280x720@60" },
      bitrate: {
        ...parsed(wholeNumber({ most: 8_000_000 }), "KBPS"),
        brief: "Of everything on the wire; default 0, the host decides",
      },
      codec: {
        kind: "enum",
        values: ["h264", "hevc", "av1"],
        optional: true,
        brief: "Default any",
      },
      channels: { kind: "enum", values: ["2", "6", "8"], optional: true, brief: "Default 2" },
      chacha20: { ...SWITCH, brief: "Ask for ChaCha20-Poly1305 in place of AES-128-GCM" },
      name: { ...TEXT, placeholder: "NAME", brief: "What the host calls this device" },
      launch: { ...TEXT, placeholder: "ID", brief: "Game to start, e.g. steam:570" },
      seconds: {
        ...parsed(decimalNumber({ above: 0, most: 86_400 }), "N"),
        brief: "Stop so long after the first frame",
      },
      frames: {
        ...parsed(wholeNumber({ least: 1, most: 4_294_967_295 }), "N"),
        brief: "Stop after so many frames; a missing one is a failure",
      },
      quit: { ...SWITCH, brief: "Tell the host at the end that nobody comes back" },
      out: { ...TEXT, placeholder: "FILE", brief: "Where the elementary stream goes" },
      audioOut: { ...TEXT, placeholder: "FILE", brief: "Where the sound goes, as WAVE" },
      clockStrips: {
        ...SWITCH,
        brief: "Decode with ffmpeg and read from the pictures when they were drawn",
      },
      input: { ...SWITCH, brief: "Draw with the pointer and type" },
      micTone: {
        ...parsed(decimalNumber({ above: 0, most: 20_000 }), "HZ"),
        brief: "Send a tone as the microphone",
      },
      probeLink: {
        ...parsed(parseLinkProbe, "KBPS:MS"),
        brief: "Let the host fill the link at this rate for so long, and measure it",
      },
      adaptive: {
        ...SWITCH,
        brief: "Ask for the rate that the path carries, at most --bitrate",
      },
      report: { ...TEXT, placeholder: "FILE", brief: "Where a page of HTML about the run goes" },
    },
  },
  load: () => import("./commands/probe.ts"),
});

function parsed<T>(parse: (text: string) => T, placeholder: string) {
  return { kind: "parsed", parse, optional: true, placeholder } as const;
}

/** "1280x720@60"; without a rate 60 Hz. */
export function parseMode(text: string) {
  const match = /^([0-9]{2,5})x([0-9]{2,5})(?:@([0-9]{1,4}))?$/.exec(text);
  if (match === null) throw new RangeError("it must be WIDTHxHEIGHT@HZ");
  return {
    width: Number(match[1]),
    height: Number(match[2]),
    refreshHz: Number(match[3] ?? 60),
  };
}

/** "KBPS:MS". */
export function parseLinkProbe(text: string) {
  const match = /^([0-9]{1,8}):([0-9]{1,4})$/.exec(text);
  if (match === null) throw new RangeError("it must be KBPS:MS");
  return { targetKbps: Number(match[1]), durationMs: Number(match[2]) };
}

export function parseFingerprint(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes?.byteLength !== 32) throw new RangeError("it must be 64 hexadecimal digits");
  return bytes;
}
