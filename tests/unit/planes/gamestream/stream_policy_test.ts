import assert from "node:assert/strict";
import {
  ENCRYPTION_SUPPORTED,
  encryptionDemanded,
  encryptionRequested,
  isLocalAddress,
  isSameHost,
} from "../../../../src/planes/gamestream/stream_policy.ts";

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

Deno.test("encryptionDemanded() leaves the choice to local clients and demands everything of others", () => {
  assert.equal(encryptionDemanded("192.168.1.20"), 0);
  assert.equal(encryptionDemanded("8.8.8.8"), ENCRYPTION_SUPPORTED);
});

Deno.test("encryptionRequested() asks local clients for control alone", () => {
  assert.equal(encryptionRequested("192.168.1.20"), 1);
  assert.equal(encryptionRequested("8.8.8.8"), 7);
});

Deno.test("isSameHost() sees through IPv4-mapped addresses", () => {
  assert.equal(isSameHost("::ffff:10.0.0.1", "10.0.0.1"), true);
  assert.equal(isSameHost("10.0.0.1", "10.0.0.2"), false);
});
