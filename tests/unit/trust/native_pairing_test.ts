/** The whole way of a PIN: window, ceremony and store together, as the plane puts them together. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { parseHex } from "../../../src/lib/bytes.ts";
import { ClientPairing, HostPairing } from "../../../src/protocol/punktfunk1/pairing_ceremony.ts";
import { startSpake2 } from "../../../src/protocol/spake2.ts";
import type { AccessOffer } from "../../../src/trust/access.ts";
import { PairingWindow } from "../../../src/trust/pairing_window.ts";
import { type ClientsLab, makeClients, PHONE, TABLET } from "./native_fixture.ts";

const HOST = new Uint8Array(createHash("sha256").update("host").digest());
const randomBytes = (sizeBytes: number) => crypto.getRandomValues(new Uint8Array(sizeBytes));

/** One client's attempt, from its request to what both sides end with. */
async function attempt(
  { clients }: ClientsLab,
  window: PairingWindow,
  { pin, fingerprint = PHONE }: { readonly pin: string; readonly fingerprint?: string },
): Promise<string> {
  const certificateFingerprint = parseHex(fingerprint) ?? new Uint8Array();
  const host = new HostPairing<AccessOffer>({
    startSpake2,
    randomBytes,
    hostFingerprint: HOST,
    certificateFingerprint,
    admit: (one) => window.admit(one, "lan"),
  });
  const client = new ClientPairing({
    startSpake2,
    randomBytes,
    pin,
    name: "Phone",
    hostFingerprint: HOST,
    identity: { certificateFingerprint },
  });
  const answer = host.receiveRequest(client.request);
  if (answer.kind === "refused") return answer.reason;
  const proof = client.receiveChallenge(answer.challenge);
  if (proof.kind === "wrong-pin") return "wrong-pin";
  const outcome = host.receiveProof(proof.proof);
  if (outcome.kind === "wrong-pin") return "host: wrong-pin";
  await clients.pair(outcome.device, outcome.grant);
  return "paired";
}

Deno.test("a device that knows the PIN is paired with what the window offers, and the window is used up", async () => {
  await using lab = await makeClients();
  const window = new PairingWindow({ clock: lab.clock });
  assert.equal(await attempt(lab, window, { pin: "1234" }), "not-armed");
  lab.clock.advance(2000);
  const { pin } = window.arm({ offer: { grants: 0x01, lifetimeS: 3600 } });
  assert.equal(await attempt(lab, window, { pin }), "paired");
  assert.equal((await lab.reopen()).get(PHONE)?.grants, 0x01);
  lab.clock.advance(2000);
  assert.equal(await attempt(lab, window, { pin, fingerprint: TABLET }), "not-armed");
});

Deno.test("a wrong PIN pairs nobody and uses the window up", async () => {
  await using lab = await makeClients();
  const window = new PairingWindow({ clock: lab.clock, randomInt: () => 1234 });
  const { pin } = window.arm();
  assert.equal(await attempt(lab, window, { pin: "1235" }), "wrong-pin");
  assert.equal(window.armed(), undefined);
  lab.clock.advance(2000);
  assert.equal(await attempt(lab, window, { pin }), "not-armed");
  assert.equal(lab.clients.size, 0);
});

Deno.test("two attempts within two seconds are one too many, whoever makes them", async () => {
  await using lab = await makeClients();
  const window = new PairingWindow({ clock: lab.clock });
  await attempt(lab, window, { pin: "1234", fingerprint: TABLET });
  const { pin } = window.arm();
  lab.clock.advance(1999);
  assert.equal(await attempt(lab, window, { pin }), "rate-limited");
  lab.clock.advance(1);
  assert.equal(await attempt(lab, window, { pin }), "paired");
});

Deno.test("a bound window refuses others without being used up, and a window ends with its time", async () => {
  await using lab = await makeClients();
  const window = new PairingWindow({ clock: lab.clock });
  const { pin } = window.arm({ fingerprint: PHONE });
  assert.equal(await attempt(lab, window, { pin, fingerprint: TABLET }), "bound-other");
  lab.clock.advance(2000);
  assert.equal(await attempt(lab, window, { pin }), "paired");
  const late = window.arm({ ttlS: 15 });
  lab.clock.advance(15_000);
  assert.equal(await attempt(lab, window, { pin: late.pin, fingerprint: TABLET }), "not-armed");
  assert.equal(lab.clients.size, 1);
});

Deno.test("a fixed PIN without end is one guess as well", async () => {
  await using lab = await makeClients();
  const window = new PairingWindow({ clock: lab.clock });
  window.arm({ pin: "0042", ttlS: null });
  lab.clock.advance(24 * 3_600_000);
  assert.equal(await attempt(lab, window, { pin: "0042" }), "paired");
  lab.clock.advance(2000);
  assert.equal(await attempt(lab, window, { pin: "0042", fingerprint: TABLET }), "not-armed");
});
