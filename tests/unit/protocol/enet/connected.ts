/**
 * A server with one connected peer, and the client it is connected to, without a network between them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { EnetClient } from "../../../../src/protocol/enet/client.ts";
import type { EnetPeer, PeerEvent } from "../../../../src/protocol/enet/peer.ts";
import { EnetServer, type EnetServerEvent } from "../../../../src/protocol/enet/server.ts";

export const CLIENT_ADDRESS = { address: "127.0.0.1", port: 50_000 };
export const CONNECT_DATA = 0x1234abcd;

export type Event = EnetServerEvent<string>;

/** A server that admits {@link CONNECT_DATA} as "admitted" and draws slot 0. */
export function createServer(): EnetServer<string> {
  return new EnetServer({
    admit: (data) => data === CONNECT_DATA ? "admitted" : undefined,
    random: () => 0,
  });
}

/** Copies of the messages among `events`. */
export function messagesOf(events: readonly PeerEvent[]): Uint8Array[] {
  return events.flatMap((event) => event.kind === "message" ? [event.bytes.slice()] : []);
}

/** Both ends, connected at `nowMs`; nothing is in flight. */
export function connect(nowMs = 0): {
  server: EnetServer<string>;
  client: EnetClient;
  peer: EnetPeer;
  /** Carry everything there and back until both are quiet. */
  exchange(nowMs: number): { atServer: Event[]; atClient: PeerEvent[] };
} {
  const server = createServer();
  const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
  const exchange = (atMs: number) => {
    const atServer: Event[] = [];
    const atClient: PeerEvent[] = [];
    for (let isQuiet = false; !isQuiet;) {
      const fromClient = client.tick(atMs);
      atClient.push(...fromClient.events);
      for (const bytes of fromClient.datagrams) {
        atServer.push(...server.receive({ ...CLIENT_ADDRESS, bytes }, atMs));
      }
      const fromServer = server.tick(atMs);
      atServer.push(...fromServer.events);
      for (const { bytes } of fromServer.datagrams) atClient.push(...client.receive(bytes, atMs));
      isQuiet = fromClient.datagrams.length === 0 && fromServer.datagrams.length === 0;
    }
    return { atServer, atClient };
  };
  const { atServer, atClient } = exchange(nowMs);
  assert.deepEqual(atServer.map((event) => event.kind), ["connected"]);
  assert.deepEqual(atClient, [{ kind: "connected" }]);
  const [peer] = server.peers;
  assert.ok(peer);
  return { server, client, peer, exchange };
}
