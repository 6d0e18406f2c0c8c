import assert from "node:assert/strict";
import { findPortOwner, findPortUses, socketInodes } from "../../../src/platform/port_owner.ts";

const TABLE = [
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
  "   0: 0100007F:BB75 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0",
  "   1: 0100007F:BB75 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0",
  "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0",
  "",
].join("\n");

Deno.test("socketInodes() finds listening sockets of a TCP port alone, and every socket of a UDP port", () => {
  assert.deepEqual(socketInodes(TABLE, { transport: "tcp", port: 47989 }), ["4711"]);
  assert.deepEqual(socketInodes(TABLE, { transport: "tcp", port: 22 }), ["4713"]);
  assert.deepEqual(socketInodes(TABLE, { transport: "tcp", port: 6 }), []);
  assert.deepEqual(socketInodes("", { transport: "tcp", port: 22 }), []);
  assert.deepEqual(socketInodes(TABLE, { transport: "udp", port: 47989 }), ["4711", "4712"]);
});

Deno.test("findPortOwner() names this very process where the system tells", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const owner = await findPortOwner((listener.addr as Deno.NetAddr).port);
  if (Deno.build.os === "linux") assert.ok(owner?.endsWith(`(${Deno.pid})`), owner);
  else assert.equal(owner, undefined);
});

Deno.test("findPortUses() tells the transports apart and answers in order", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  using _closing = { [Symbol.dispose]: () => socket.close() };
  const tcp = (listener.addr as Deno.NetAddr).port;
  const udp = (socket.addr as Deno.NetAddr).port;
  const uses = await findPortUses([
    { transport: "udp", port: udp },
    { transport: "tcp", port: tcp },
    // Nobody can have port 0.
    { transport: "udp", port: 0 },
  ]);
  const isSeen = Deno.build.os === "linux";
  assert.deepEqual(uses.map(({ isTaken }) => isTaken), [isSeen, isSeen, false]);
  const pid = isSeen ? Deno.pid : undefined;
  assert.deepEqual(uses.map(({ owner }) => owner?.processId), [pid, pid, undefined]);
});
