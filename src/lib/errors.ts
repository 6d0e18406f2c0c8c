/**
 * The three classes of failure. Whoever catches decides by class, never by text.
 *
 * - {@link ProtocolError}: the peer's fault. The connection it came from ends; nothing else does.
 * - {@link NativeError}: a C shim returned a status.
 * - {@link OperationError}: a person can act on it. Its code gives the exit code and the HTTP status.
 *
 * Texts read "Cannot X: reason", sentence case, no full stop. Peer content and secrets never enter one.
 *
 * @module
 */

/** What was wrong with a peer's bytes. */
export type ProtocolErrorCode =
  | "short"
  | "trailing"
  | "malformed"
  | "limit"
  | "unknown-type"
  | "unsupported"
  | "out-of-order"
  | "authentication";

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  constructor(readonly code: ProtocolErrorCode, message: string) {
    super(message);
  }
}

export class NativeError extends Error {
  override readonly name = "NativeError";
  /** `status` is the shim's negative return value, `shim` its name, e.g. "wire". */
  constructor(readonly shim: string, readonly status: number, message: string) {
    super(message);
  }
}

/** One row per failure a person can act on: exit code of a command, status of an API answer. */
const OPERATION_CODES = {
  "refused": { exitCode: 1, httpStatus: 409 },
  "invalid": { exitCode: 1, httpStatus: 400 },
  "not-found": { exitCode: 1, httpStatus: 404 },
  "unavailable": { exitCode: 1, httpStatus: 503 },
  "port-in-use": { exitCode: 1, httpStatus: 503 },
  "missing-library": { exitCode: 1, httpStatus: 503 },
  "missing-compositor": { exitCode: 1, httpStatus: 503 },
  "capture-lost": { exitCode: 1, httpStatus: 503 },
  "storage": { exitCode: 1, httpStatus: 500 },
  "unsupported-runtime": { exitCode: 1, httpStatus: 501 },
  "failed": { exitCode: 1, httpStatus: 500 },
  "usage": { exitCode: 2, httpStatus: 400 },
  "unreachable": { exitCode: 3, httpStatus: 502 },
  "certificate-mismatch": { exitCode: 4, httpStatus: 502 },
} as const;

export type OperationErrorCode = keyof typeof OPERATION_CODES;

export class OperationError extends Error {
  override readonly name = "OperationError";
  /** `options.remedy` is what the person can do, as a sentence of its own without a full stop. */
  constructor(
    readonly code: OperationErrorCode,
    message: string,
    readonly options: { readonly remedy?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }

  get exitCode(): number {
    return OPERATION_CODES[this.code].exitCode;
  }

  get httpStatus(): number {
    return OPERATION_CODES[this.code].httpStatus;
  }

  get remedy(): string | undefined {
    return this.options.remedy;
  }
}

/** The text of anything thrown, with its remedy, on one line. */
export function describeError(error: unknown): string {
  if (error instanceof OperationError && error.remedy !== undefined) {
    return `${error.message}. ${error.remedy}`;
  }
  return error instanceof Error ? error.message : String(error);
}
