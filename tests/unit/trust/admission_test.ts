import assert from "node:assert/strict";
import { type Admission, decideAdmission } from "../../../src/trust/admission.ts";
import { device, makeClients, PHONE, TABLET } from "./native_fixture.ts";

Deno.test("decideAdmission() follows the table", async () => {
  await using lab = await makeClients();
  const phone = await lab.clients.pair(device(PHONE), { grants: 0x01, lifetimeS: 60 });
  const decide = (policy: "required" | "open", fingerprint: string | undefined) =>
    decideAdmission({ policy, fingerprint, clients: lab.clients, nowMs: lab.clock.wallMs() });
  const known: Admission = { kind: "session", grants: 0x01, client: phone };
  const stranger: Admission = { kind: "session", grants: 0xff, client: undefined };

  assert.deepEqual(decide("required", PHONE), known);
  assert.deepEqual(decide("open", PHONE), known);
  assert.deepEqual(decide("required", TABLET), { kind: "park", fingerprint: TABLET });
  assert.deepEqual(decide("open", TABLET), stranger);
  assert.deepEqual(decide("required", undefined), { kind: "refused", reason: "identity-required" });
  assert.deepEqual(decide("open", undefined), stranger);

  lab.clock.advance(59_999);
  assert.deepEqual(decide("required", PHONE), known);
  lab.clock.advance(1);
  for (const policy of ["required", "open"] as const) {
    assert.deepEqual(decide(policy, PHONE), { kind: "park", fingerprint: PHONE });
  }
});
