import assert from "node:assert/strict";
import { findPortOwner, listeningInodes } from "../../../src/platform/port_owner.ts";

const TABLE = [
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
  "   0: 0100007F:BB75 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0",
  "   1: 0100007F:BB75 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0",
  "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0",
  "",
].join("\n");

Deno.test("listeningInodes() finds listening sockets of the port alone", () => {
  assert.deepEqual(listeningInodes(TABLE, 47989), ["4711"]);
  assert.deepEqual(listeningInodes(TABLE, 22), ["4713"]);
  assert.deepEqual(listeningInodes(TABLE, 6), []);
  assert.deepEqual(listeningInodes("", 22), []);
});

Deno.test("findPortOwner() names this very process where the system tells", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const owner = await findPortOwner((listener.addr as Deno.NetAddr).port);
  if (Deno.build.os === "linux") assert.ok(owner?.endsWith(`(${Deno.pid})`), owner);
  else assert.equal(owner, undefined);
});
