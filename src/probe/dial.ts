/**
 * Reaching a host: attempts of 3 s while it is silent, within a budget (punktfunk/1 specification 1.1).
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import { ControlStream } from "../planes/native/control_stream.ts";
import type { QuicConnection, QuicConnector, QuicIdentity } from "../quic/ports.ts";
import { streamEnded } from "./close.ts";

const ALPN = "pkf1";
const SERVER_NAME = "punktfunk";
const ATTEMPT_MS = 3_000;
/** Between attempts that failed at once, as they do while a network comes up. */
const ATTEMPT_PAUSE_MS = 500;
const IDLE_TIMEOUT_MS = 8_000;
const KEEP_ALIVE_MS = 4_000;
const DATAGRAM_SEND_BUFFER_BYTES = 4_096;
const STREAM_TIMEOUT_MS = 10_000;

/** Where a host is: an IPv4 literal and its QUIC port. */
export interface HostAddress {
  readonly address: string;
  readonly port: number;
}

export interface DialOptions {
  readonly connector: QuicConnector;
  readonly clock: Clock;
  /** Shown when the host asks. */
  readonly identity: QuicIdentity | undefined;
  /** SHA-256 of the certificate that the host must show; undefined accepts any. */
  readonly fingerprint: Uint8Array | undefined;
  readonly budgetMs: number;
}

export interface Dialed {
  readonly connection: QuicConnection;
  /** The first stream, opened by the client. */
  readonly control: ControlStream;
  /** SHA-256 of the certificate that the host showed. */
  readonly hostFingerprint: Uint8Array;
  readonly clock: Clock;
}

/**
 * Connect and open the control stream. Throws OperationError "unreachable", "refused", "certificate-mismatch", or
 * "unavailable" when the QUIC stack cannot do what `options` want.
 */
export async function dial(host: HostAddress, options: DialOptions): Promise<Dialed> {
  const { clock } = options;
  const connection = await connect(host, options);
  const stream = await connection.openStream({ timeoutMs: STREAM_TIMEOUT_MS });
  if (stream === undefined) {
    throw await streamEnded({ connection, clock }, "open the control stream");
  }
  const der = connection.peerCertificateDer;
  const hostFingerprint = der === undefined
    ? options.fingerprint
    : new Uint8Array(createHash("sha256").update(der).digest());
  if (hostFingerprint === undefined) {
    connection.close(0, "");
    throw new OperationError("failed", "Cannot tell who the host is: it showed no certificate");
  }
  return { connection, control: new ControlStream(stream, clock), hostFingerprint, clock };
}

async function connect(host: HostAddress, options: DialOptions): Promise<QuicConnection> {
  const { connector, clock, identity, fingerprint } = options;
  const endUs = clock.monotonicUs() + options.budgetMs * 1000;
  for (;;) {
    const startUs = clock.monotonicUs();
    try {
      return await connector.connect({
        ...host,
        serverName: SERVER_NAME,
        alpn: [ALPN],
        idleTimeoutMs: IDLE_TIMEOUT_MS,
        keepAliveMs: KEEP_ALIVE_MS,
        datagramSendBufferBytes: DATAGRAM_SEND_BUFFER_BYTES,
        timeoutMs: Math.max(Math.min(ATTEMPT_MS, Math.ceil((endUs - startUs) / 1000)), 1),
        ...(identity === undefined ? {} : { identity }),
        ...(fingerprint === undefined ? {} : { serverFingerprint: fingerprint }),
      });
    } catch (error) {
      const isSilent = error instanceof OperationError && error.code === "unreachable";
      if (!isSilent || clock.monotonicUs() >= endUs) throw error;
      const isEarly = clock.monotonicUs() - startUs < ATTEMPT_PAUSE_MS * 1000;
      if (isEarly) await new Promise<void>((done) => clock.after(ATTEMPT_PAUSE_MS, done));
    }
  }
}
