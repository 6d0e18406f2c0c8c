/**
 * What a stranger, or a peer, can send to the control port.
 *
 * @module
 */
import { equalBytes } from "../../../src/lib/bytes.ts";
import { EnetClient } from "../../../src/protocol/enet/client.ts";
import {
  commandSizeBytes,
  decodeCommand,
  decodeHeader,
  encodeCommand,
} from "../../../src/protocol/enet/datagram.ts";
import { REORDER_BYTES_MAX } from "../../../src/protocol/enet/limits.ts";
import { EnetServer } from "../../../src/protocol/enet/server.ts";
import vectors from "../../vectors/gamestream-enet.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

const { _about, ...exchanges } = vectors;
const DATAGRAMS = Object.values(exchanges).flatMap((exchange) =>
  exchange.map(({ datagram }) => Uint8Array.fromHex(datagram))
);
const FROM = { address: "127.0.0.1", port: 50_000 };
const CONNECT_DATA = 0x1234abcd;

/** Decode every command; what was read must be written the same. */
function decodeAll(bytes: Uint8Array): void {
  for (let { offset } = decodeHeader(bytes); offset < bytes.byteLength;) {
    const { command, nextOffset } = decodeCommand(bytes, offset);
    const written = new Uint8Array(commandSizeBytes(command));
    encodeCommand(command, written, 0);
    // Bits 4 and 5 of the first byte mean nothing.
    const read = bytes.slice(offset, nextOffset);
    read[0] = (read[0] ?? 0) & 0xcf;
    if (!equalBytes(written, read)) throw new Error("Cannot write what was read");
    offset = nextOffset;
  }
}

/** A server with one connected peer takes `bytes` in three datagrams, then time passes. */
function receiveConnected(bytes: Uint8Array): void {
  const server = new EnetServer({
    admit: (data) => data === CONNECT_DATA ? true : undefined,
    random: () => 0,
  });
  const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
  for (const datagram of client.tick(0).datagrams) server.receive({ ...FROM, bytes: datagram }, 0);
  for (const datagram of server.tick(0).datagrams) client.receive(datagram.bytes, 0);
  for (const datagram of client.tick(0).datagrams) server.receive({ ...FROM, bytes: datagram }, 0);
  const [peer] = server.peers;
  if (peer?.state !== "connected") throw new Error("Cannot fuzz: the handshake failed");
  const half = bytes.byteLength >> 1;
  const parts = [bytes, bytes.subarray(0, half), bytes.subarray(half)];
  for (const [index, part] of parts.entries()) {
    server.receive({ ...FROM, bytes: part }, index);
    server.tick(index);
  }
  if (peer.bufferedBytes.received > REORDER_BYTES_MAX) throw new Error("Cannot hold the limit");
  for (let nowMs = 100; nowMs <= 30_000; nowMs += 5_000) server.tick(nowMs);
  if (server.peers.length > 0) throw new Error("Cannot end: a silent peer stays");
}

function receiveAsClient(bytes: Uint8Array): void {
  const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
  client.tick(0);
  client.receive(bytes, 1);
  client.tick(1);
}

export const TARGETS: readonly FuzzTarget[] = [
  { name: "enet-command", seeds: DATAGRAMS, run: decodeAll },
  { name: "enet-server", seeds: DATAGRAMS, run: receiveConnected },
  { name: "enet-client", seeds: DATAGRAMS, run: receiveAsClient },
];
