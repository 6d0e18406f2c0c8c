import assert from "node:assert/strict";
import { type PeerPath, peerSourceOf } from "../../../src/trust/peer_source.ts";

const INTERFACES = [
  { name: "lo", address: "127.0.0.1" },
  { name: "eth0", address: "100.64.1.2" },
  { name: "tailscale0", address: "100.101.102.103" },
];
const PATH: PeerPath = { localAddress: undefined, interfaces: INTERFACES };

Deno.test("peerSourceOf() takes private addresses for near and all others for far", () => {
  const near = ["127.0.0.1", "::1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.1.1"];
  for (const address of [...near, "::ffff:10.0.0.1", "fe80::1%eth0", "fd00::1"]) {
    assert.equal(peerSourceOf(address, PATH), "lan", address);
  }
  for (const address of ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", ""]) {
    assert.equal(peerSourceOf(address, PATH), "wan", address);
  }
});

Deno.test("peerSourceOf() takes 100.64.0.0/10 for near only on a Tailscale interface", () => {
  const tailnet = { ...PATH, localAddress: "::ffff:100.101.102.103" };
  for (const address of ["100.64.0.1", "100.127.255.254", "::ffff:100.100.1.1"]) {
    assert.equal(peerSourceOf(address, tailnet), "lan", address);
    assert.equal(peerSourceOf(address, PATH), "wan", address);
    assert.equal(peerSourceOf(address, { ...PATH, localAddress: "100.64.1.2" }), "wan", address);
  }
  for (const address of ["100.63.0.1", "100.128.0.1", "8.8.8.8"]) {
    assert.equal(peerSourceOf(address, tailnet), "wan", address);
  }
});
