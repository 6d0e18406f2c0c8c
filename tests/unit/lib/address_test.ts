import assert from "node:assert/strict";
import { isLocalAddress, isLoopback, isSameHost } from "../../../src/lib/address.ts";

const LOCAL = [
  "127.0.0.1",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.20",
  "169.254.3.4",
  "::1",
  "fd12:3456::1",
  "fe80::1",
  "::ffff:192.168.1.20",
];
const REMOTE = ["8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "2001:db8::1", "", "host"];

Deno.test("isLocalAddress() knows the private ranges of both families and their edges", () => {
  for (const address of LOCAL) assert.equal(isLocalAddress(address), true, address);
  for (const address of REMOTE) assert.equal(isLocalAddress(address), false, address);
});

Deno.test("isSameHost() sees through IPv4-mapped addresses", () => {
  assert.equal(isSameHost("::ffff:10.0.0.1", "10.0.0.1"), true);
  assert.equal(isSameHost("10.0.0.1", "10.0.0.2"), false);
});

Deno.test("isLoopback() knows loopback of both families and nothing beside it", () => {
  for (const address of ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"]) {
    assert.ok(isLoopback(address), address);
  }
  for (
    const address of [
      "",
      "126.0.0.1",
      "127.0.0.1.example",
      "localhost",
      "::2",
      "::ffff:128.0.0.1",
      "0.0.0.0",
      "1127.0.0.1",
    ]
  ) {
    assert.ok(!isLoopback(address), address);
  }
});
