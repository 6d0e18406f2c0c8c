/**
 * Picks the QUIC stack and says why: native/quic, which asks clients for their certificates, where it opens, else the
 * runtime's own. `$PUNKTFUNK_QUIC`, "quinn" or "deno", insists on one.
 *
 * @module
 */
import { openQuicLibrary } from "../../ffi/quic_symbols.ts";
import { describeError, OperationError } from "../lib/errors.ts";
import { openSystemClock } from "../platform/system_clock.ts";
import { openDenoConnector, openDenoListener } from "./deno_quic.ts";
import { openNativeConnector, openNativeListener } from "./native_quic.ts";
import type { QuicAdapterId, QuicConnector, QuicListener, QuicListenerOptions } from "./ports.ts";

export interface QuicChoice {
  /** Undefined when the one that is insisted on cannot run. */
  readonly adapter: QuicAdapterId | undefined;
  readonly asksForClientCertificate: boolean;
  /** Why this one, or why none; one sentence without a full stop. */
  readonly reason: string;
}

export interface QuicEnvironment {
  get(name: string): string | undefined;
}

const VARIABLE = "PUNKTFUNK_QUIC";
const WITH_CERTIFICATES = "which asks clients for their certificates: native apps can pair";
const WITHOUT_CERTIFICATES =
  "which asks no client for a certificate: only devices with a key can pair";
const REMEDY = "Run `deno task native` to build native/quic";

/** What would run now; nothing stays open. Throws OperationError "invalid" when the variable names no stack. */
export function describeQuic(environment: QuicEnvironment = Deno.env): QuicChoice {
  const wanted = environment.get(VARIABLE)?.trim() ?? "";
  if (!["", "auto", "deno", "quinn"].includes(wanted)) {
    throw new OperationError(
      "invalid",
      `Cannot use QUIC stack "${wanted.slice(0, 40)}" from ${VARIABLE}`,
      { remedy: `Set ${VARIABLE} to quinn or deno, or leave it out` },
    );
  }
  if (wanted === "deno") {
    return {
      adapter: "deno",
      asksForClientCertificate: false,
      reason: `${VARIABLE} asks for the runtime's QUIC, ${WITHOUT_CERTIFICATES}`,
    };
  }
  const fault = whyNotNative();
  if (fault === undefined) {
    return {
      adapter: "quinn",
      asksForClientCertificate: true,
      reason: wanted === "quinn"
        ? `${VARIABLE} asks for the QUIC shim, ${WITH_CERTIFICATES}`
        : `The QUIC shim runs, ${WITH_CERTIFICATES}`,
    };
  }
  return {
    adapter: wanted === "quinn" ? undefined : "deno",
    asksForClientCertificate: false,
    reason: `The runtime's QUIC runs, ${WITHOUT_CERTIFICATES}; the QUIC shim does not open: ${
      describeError(fault)
    }`,
  };
}

function whyNotNative(): unknown {
  try {
    openQuicLibrary().close();
    return undefined;
  } catch (error) {
    return error;
  }
}

function requireAdapter({ adapter, reason }: QuicChoice): QuicAdapterId {
  if (adapter !== undefined) return adapter;
  throw new OperationError("missing-library", `Cannot use the QUIC stack asked for: ${reason}`, {
    remedy: REMEDY,
  });
}

export interface OpenedQuicListener extends QuicChoice {
  readonly adapter: QuicAdapterId;
  readonly listener: QuicListener;
}

/** Throws what the adapters throw, and OperationError "missing-library" when the one insisted on cannot run. */
export function openQuicListener(
  options: QuicListenerOptions,
  environment: QuicEnvironment = Deno.env,
): OpenedQuicListener {
  const choice = describeQuic(environment);
  const adapter = requireAdapter(choice);
  const listener = adapter === "quinn"
    ? openNativeListener(options)
    : openDenoListener(options, openSystemClock());
  return { ...choice, adapter, listener };
}

/**
 * A connector that can show a certificate when `needsClientCertificate`. Throws OperationError "unavailable" when none
 * can, "missing-library" when the one insisted on cannot run.
 */
export function openQuicConnector(
  { needsClientCertificate, environment = Deno.env }: {
    readonly needsClientCertificate: boolean;
    readonly environment?: QuicEnvironment;
  },
): QuicConnector {
  const choice = describeQuic(environment);
  if (requireAdapter(choice) === "quinn") return openNativeConnector();
  if (needsClientCertificate) {
    throw new OperationError(
      "unavailable",
      `Cannot show a client certificate: ${choice.reason}`,
      { remedy: REMEDY },
    );
  }
  return openDenoConnector(openSystemClock());
}
