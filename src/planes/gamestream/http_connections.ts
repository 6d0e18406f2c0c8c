/**
 * Keeps hold of the TCP connections of the HTTP servers, so that idle ones cost others nothing.
 *
 *     accepted ──request──▶ serving ──answered──▶ closed
 *     at most 10 s          as long as it takes   at most 10 s to take the answer
 *
 * One request a connection. When an address, or all together, have too many, the oldest that has asked nothing yet makes
 * room; so a flood of empty connections never keeps a client that does ask from its answer.
 *
 * @module
 */
import type { Clock, Timer } from "../../lib/clock.ts";

export const CONNECTIONS_MAX = 512;
export const CONNECTIONS_PER_ADDRESS_MAX = 64;
export const CONNECTION_WAIT_MS = 10_000;

/** The part of a socket that is needed; a TLS socket has the addresses of the TCP socket under it. */
export interface ConnectionSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localPort?: number | undefined;
  destroy(): void;
  once(event: "close", listener: () => void): unknown;
}

interface Connection {
  readonly socket: ConnectionSocket;
  readonly address: string;
  stage: "accepted" | "serving" | "answered";
  timer: Timer | undefined;
}

export class HttpConnections {
  readonly #clock: Clock;
  /** In the order they were accepted. */
  readonly #connections = new Map<string, Connection>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** A TCP connection arrived. */
  accept(socket: ConnectionSocket): void {
    const name = nameOf(socket);
    const address = socket.remoteAddress ?? "";
    if (!this.#makeRoom(address)) {
      socket.destroy();
      return;
    }
    const connection: Connection = { socket, address, stage: "accepted", timer: undefined };
    this.#connections.set(name, connection);
    this.#wait(connection);
    socket.once("close", () => {
      connection.timer?.cancel();
      if (this.#connections.get(name) === connection) this.#connections.delete(name);
    });
  }

  /** Its TLS handshake is done: the request has its own time. */
  renew(socket: ConnectionSocket): void {
    const connection = this.#connections.get(nameOf(socket));
    if (connection?.stage === "accepted") this.#wait(connection);
  }

  /** Its request is here. False when it had one before, and is to be left alone. */
  beginServing(socket: ConnectionSocket): boolean {
    const connection = this.#connections.get(nameOf(socket));
    if (connection?.stage !== "accepted") return false;
    connection.stage = "serving";
    connection.timer?.cancel();
    return true;
  }

  /** Its answer was handed over. */
  endServing(socket: ConnectionSocket): void {
    const connection = this.#connections.get(nameOf(socket));
    if (connection === undefined) return;
    connection.stage = "answered";
    this.#wait(connection);
  }

  /** End every connection. */
  close(): void {
    for (const connection of this.#connections.values()) {
      connection.timer?.cancel();
      connection.socket.destroy();
    }
    this.#connections.clear();
  }

  #wait(connection: Connection): void {
    connection.timer?.cancel();
    connection.timer = this.#clock.after(CONNECTION_WAIT_MS, () => connection.socket.destroy());
  }

  #makeRoom(address: string): boolean {
    const all = [...this.#connections];
    const ofAddress = all.filter(([, connection]) => connection.address === address);
    const crowd = ofAddress.length >= CONNECTIONS_PER_ADDRESS_MAX
      ? ofAddress
      : all.length >= CONNECTIONS_MAX
      ? all
      : undefined;
    if (crowd === undefined) return true;
    const idle = crowd.find(([, connection]) => connection.stage === "accepted");
    if (idle === undefined) return false;
    const [name, connection] = idle;
    connection.timer?.cancel();
    this.#connections.delete(name);
    connection.socket.destroy();
    return true;
  }
}

function nameOf(socket: ConnectionSocket): string {
  return `${socket.localPort} ${socket.remoteAddress} ${socket.remotePort}`;
}
