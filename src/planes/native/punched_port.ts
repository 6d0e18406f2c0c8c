/**
 * The UDP port that a session's video leaves from, and where to (native specification 4.1).
 *
 *     first punch of the QUIC peer's host      → there
 *     none within 2.5 s of the wait for it     → the peer's address, at the port of Start
 *
 * @module
 */
import { isSameHost } from "../../lib/address.ts";
import type { Clock } from "../../lib/clock.ts";
import { ProtocolError } from "../../lib/errors.ts";
import type { SocketAddress, UdpSocketHandle } from "../../media/wire/kernel.ts";
import { isPunch, PUNCH_WAIT_MS } from "../../protocol/punktfunk1/punch.ts";
import type { Start } from "../../protocol/punktfunk1/start.ts";
import type { QuicConnection } from "../../quic/ports.ts";
import { MediaPort } from "../media_port.ts";
import { isIpv6Peer } from "./stream_plan.ts";

const DSCP_VIDEO = 40;

export interface PunchedPortOptions {
  readonly connection: QuicConnection;
  /** 0 for any. */
  readonly preferredPort: number;
  readonly clock: Clock;
  readonly onNoPunch: () => void;
}

export class PunchedPort implements AsyncDisposable {
  readonly #options: PunchedPortOptions;
  readonly #port: MediaPort;
  readonly #punch = Promise.withResolvers<SocketAddress>();
  readonly #stack = new AsyncDisposableStack();

  /** Throws OperationError when no port can be bound. */
  constructor(options: PunchedPortOptions) {
    const { connection, preferredPort } = options;
    this.#options = options;
    this.#port = this.#stack.use(MediaPort.open({
      bind: connection.localAddress ?? (isIpv6Peer(connection) ? "::" : "0.0.0.0"),
      preferredPort,
      isPing: (bytes, source) =>
        isPunch(bytes) && isSameHost(source.address, connection.remote.address),
      // Only the first counts: later ones hold the way open and move nothing.
      onPing: (source) => this.#punch.resolve(source),
    }));
    this.#port.setDscp(DSCP_VIDEO);
  }

  get port(): number {
    return this.#port.port;
  }

  get handle(): UdpSocketHandle {
    return this.#port.handle;
  }

  /** Call it once, when Start came. Throws ProtocolError when neither names a port. */
  async destination({ udpPort }: Pick<Start, "udpPort">): Promise<SocketAddress> {
    const { clock, connection, onNoPunch } = this.#options;
    const timer = clock.after(PUNCH_WAIT_MS, () => {
      onNoPunch();
      this.#punch.resolve({ address: connection.remote.address, port: udpPort });
    });
    this.#stack.defer(() => timer.cancel());
    const destination = await this.#punch.promise;
    timer.cancel();
    if (destination.port !== 0) return destination;
    throw new ProtocolError("malformed", "Cannot stream: the client names no UDP port");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
