import assert from "node:assert/strict";
import type { FoundService } from "../../../src/discovery/mdns_browse.ts";
import { parseFingerprint, parseLinkProbe, parseMode } from "../../../src/cli/table_probe.ts";
import { advertisedHostOf, parseHostName, resolveHost } from "../../../src/probe/hosts.ts";
import { KnownHosts, openProbeIdentity } from "../../../src/probe/identity.ts";
import { describeHosts } from "../../../src/probe/progress.ts";

const FP = "ab".repeat(32);

function serviceOf(changes: Partial<FoundService> = {}, txt: Record<string, string> = {}) {
  return {
    instanceName: "Deck 1.0",
    port: 9777,
    addresses: ["10.0.0.9", "192.168.1.20", "192.168.2.5"],
    txt: new Map(Object.entries({ proto: "punktfunk/1", pair: "required", fp: FP, ...txt })),
    ...changes,
  };
}

Deno.test("advertisedHostOf() reads the advert and takes the nearest address", () => {
  assert.deepEqual(advertisedHostOf(serviceOf(), ["192.168.1.7"]), {
    name: "Deck 1",
    address: "192.168.1.20",
    port: 9777,
    fingerprint: FP,
    pairing: "required",
    id: undefined,
  });
  // Far from all: the one that is named, then the lowest.
  assert.equal(
    advertisedHostOf(serviceOf({}, { addr: "192.168.2.5" }), [])?.address,
    "192.168.2.5",
  );
  assert.equal(advertisedHostOf(serviceOf(), [])?.address, "10.0.0.9");
});

Deno.test("advertisedHostOf() drops other protocols and hints that are none", () => {
  assert.equal(advertisedHostOf(serviceOf({}, { proto: "punktfunk/2" }), []), undefined);
  const odd = advertisedHostOf(serviceOf({}, { proto: "", fp: "abc", pair: "maybe" }), []);
  assert.deepEqual([odd?.fingerprint, odd?.pairing], [undefined, undefined]);
});

Deno.test("describeHosts() lets no advert steer the terminal", () => {
  const host = advertisedHostOf(serviceOf({ instanceName: "a\x1b[2Jb\u202e" }), []);
  assert.ok(host !== undefined);
  assert.match(describeHosts([host]), /^10\.0\.0\.9:9777 {2}a\?\[2Jb\? {2}pairing required/);
  assert.equal(describeHosts([]), "No host answered");
});

Deno.test("parseHostName() takes a name or an IPv4 address, and a port", () => {
  assert.deepEqual(parseHostName("deck.local"), { name: "deck.local", port: 9777 });
  assert.deepEqual(parseHostName("10.0.0.1:65535"), { name: "10.0.0.1", port: 65_535 });
  for (const text of ["", ":1", "a:", "a:0", "a:65536", "a:1:2", "-a", "a b", "[::1]:5"]) {
    assert.throws(() => parseHostName(text), RangeError, text);
  }
});

Deno.test("resolveHost() gives literals as they are", async () => {
  const host = await resolveHost({ name: "127.0.0.1", port: 5 });
  assert.deepEqual(host, { address: "127.0.0.1", port: 5 });
});

Deno.test("`probe`'s flags have exact forms", () => {
  assert.deepEqual(parseMode("1920x1080@120"), { width: 1920, height: 1080, refreshHz: 120 });
  assert.equal(parseMode("640x480").refreshHz, 60);
  assert.deepEqual(parseLinkProbe("50000:800"), { targetKbps: 50_000, durationMs: 800 });
  assert.equal(parseFingerprint(FP).byteLength, 32);
  for (const text of ["", "1x1", "1920x1080@", "1920X1080", "1920x1080@60 "]) {
    assert.throws(() => parseMode(text), RangeError);
  }
  for (const text of ["", "1:", ":1", "1:10000", "x:1"]) {
    assert.throws(() => parseLinkProbe(text), RangeError);
  }
  for (const text of ["", "ab", FP + "ab", "zz".repeat(32)]) {
    assert.throws(() => parseFingerprint(text), RangeError);
  }
});

Deno.test("openProbeIdentity() makes an identity once; damage is told and not replaced", async () => {
  const directory = await Deno.makeTempDir({ prefix: "pf-probe-" });
  try {
    const first = await openProbeIdentity(directory);
    const second = await openProbeIdentity(directory);
    assert.equal(first.certificatePem, second.certificatePem);
    assert.deepEqual(first.fingerprint, second.fingerprint);
    assert.equal(first.deviceKey.byteLength, 91);
    const { mode } = await Deno.stat(`${directory}/probe-key.pem`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
    await Deno.writeTextFile(`${directory}/probe-cert.pem`, "damage");
    await assert.rejects(openProbeIdentity(directory), { code: "storage" });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("KnownHosts remembers by address and port, over restarts, and replaces", async () => {
  const directory = await Deno.makeTempDir({ prefix: "pf-probe-" });
  try {
    const host = { address: "127.0.0.1", port: 9777 };
    const hosts = await KnownHosts.open(directory, { nowMs: () => 0 });
    assert.equal(hosts.get(host), undefined);
    await hosts.remember(host, new Uint8Array(32).fill(1));
    await hosts.remember(host, new Uint8Array(32).fill(2));
    const again = await KnownHosts.open(directory, { nowMs: () => 0 });
    assert.deepEqual(again.get(host), new Uint8Array(32).fill(2));
    assert.equal(again.get({ ...host, port: 9778 }), undefined);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
