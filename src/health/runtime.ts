/**
 * The runtime, the shims and what they give: encoders and the QUIC stack.
 *
 * @module
 */
import { ABI as H264_ABI } from "../../ffi/h264.ts";
import { openShim, type ShimName } from "../../ffi/library.ts";
import { ABI as OPUS_ABI } from "../../ffi/opus.ts";
import { ABI as PICTURE_ABI } from "../../ffi/picture.ts";
import { ABI as PIPEWIRE_ABI } from "../../ffi/pipewire_symbols.ts";
import { ABI as WIRE_ABI } from "../../ffi/wire_symbols.ts";
import { ABI as WLROOTS_ABI } from "../../ffi/wlroots.ts";
import { describeError, OperationError } from "../lib/errors.ts";
import { softwareVideoCapabilities } from "../media/encoders/openh264.ts";
import { hasClientCertificates, RUNTIME_WITH_CLIENT_CERTIFICATES } from "../platform/runtime.ts";
import { describeQuic, type QuicChoice, type QuicEnvironment } from "../quic/registry.ts";
import type { Check, Finding } from "./check.ts";

/** The shims no host can do without, and what each is there for. */
export const SHIMS: readonly {
  readonly name: ShimName;
  readonly abi: number;
  readonly gives: string;
}[] = [
  { name: "wire", abi: WIRE_ABI, gives: "sends packets" },
  { name: "h264", abi: H264_ABI, gives: "encodes pictures" },
  { name: "opus", abi: OPUS_ABI, gives: "encodes sound" },
  { name: "picture", abi: PICTURE_ABI, gives: "draws the test picture" },
  { name: "wlroots", abi: WLROOTS_ABI, gives: "captures and controls Sway" },
  { name: "pipewire", abi: PIPEWIRE_ABI, gives: "captures sound" },
];

/** `version` as in `Deno.version.deno`. */
export function runtimeFinding(
  { version, isCompiled, isGamestreamOn }: {
    readonly version: string;
    /** The runtime is part of the executable and cannot be exchanged. */
    readonly isCompiled: boolean;
    readonly isGamestreamOn: boolean;
  },
): Finding {
  if (hasClientCertificates(version)) return { state: "ok", summary: `Deno ${version}` };
  return {
    state: isGamestreamOn ? "fault" : "warning",
    summary:
      `Deno ${version} is older than ${RUNTIME_WITH_CLIENT_CERTIFICATES} and does not hand ` +
      "over client certificates: Moonlight cannot be served",
    remedy: isCompiled
      ? `Use a punktfunk-host that was compiled with Deno ${RUNTIME_WITH_CLIENT_CERTIFICATES}`
      : "deno upgrade",
  };
}

/** Whether each shim opens with the ABI this program wants. */
export function shimChecks(): Check[] {
  return SHIMS.map(({ name, abi, gives }) => ({
    id: `shim-${name}`,
    find: () => Promise.resolve(shimFinding({ abi, gives, error: whyNotOpen(name, abi) })),
  }));
}

/** `error` is what opening it threw, undefined when it opened. */
export function shimFinding(
  { abi, gives, error }: {
    readonly abi: number;
    readonly gives: string;
    readonly error: unknown;
  },
): Finding {
  if (error === undefined) return { state: "ok", summary: `ABI ${abi}, ${gives}` };
  if (error instanceof OperationError) {
    const { message, remedy } = error;
    return { state: "fault", summary: message, ...(remedy === undefined ? {} : { remedy }) };
  }
  return { state: "fault", summary: describeError(error), remedy: "deno task native" };
}

function whyNotOpen(name: ShimName, abi: number): unknown {
  try {
    openShim(name, abi, { [`pf_${name}_abi`]: { parameters: [], result: "u32" } }).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

export function encoderChecks(): Check[] {
  const megapixels = (softwareVideoCapabilities.pixelsMax / 1e6).toFixed(1);
  const software: Finding = {
    state: "ok",
    summary: `H.264 in software by OpenH264, up to ${megapixels} megapixels and ` +
      `${softwareVideoCapabilities.bitrateKbpsMax / 1000} Mbit/s`,
  };
  const gpu: Finding = {
    state: "skipped",
    summary:
      "No encoder for GPUs is built in: the processor encodes, whatever graphics card is here",
  };
  return [
    { id: "encoder-software", find: () => Promise.resolve(software) },
    { id: "encoder-gpu", find: () => Promise.resolve(gpu) },
  ];
}

/** What the QUIC stack that would run means for the native plane. */
export function quicCheck(env: QuicEnvironment): Check {
  return {
    id: "quic",
    find: () => {
      const isRuntimeWanted = env.get("PUNKTFUNK_QUIC")?.trim() === "deno";
      return Promise.resolve(quicFinding(describeQuic(env), { isRuntimeWanted }));
    },
  };
}

/** `isRuntimeWanted` tells that a variable asks for the runtime's own stack. */
export function quicFinding(
  { adapter, asksForClientCertificate, reason }: QuicChoice,
  { isRuntimeWanted }: { readonly isRuntimeWanted: boolean },
): Finding {
  if (adapter === undefined) {
    return {
      state: "fault",
      summary: `No QUIC, the native plane cannot run: ${reason}`,
      remedy: "deno task native",
    };
  }
  if (!asksForClientCertificate) {
    return {
      state: "warning",
      summary: reason,
      remedy: isRuntimeWanted ? "unset PUNKTFUNK_QUIC" : "deno task native",
    };
  }
  return { state: "ok", summary: reason };
}
