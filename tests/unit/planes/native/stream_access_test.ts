import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { StreamAccess } from "../../../../src/planes/native/stream_access.ts";
import { GRANTS, GRANTS_ALL } from "../../../../src/protocol/punktfunk1/caps.ts";

Deno.test("StreamAccess keeps the operator's limit when the device's access is told anew", () => {
  const access = new StreamAccess(new FakeClock(), { grants: GRANTS_ALL, secondsLeft: 301 });
  access.limit(GRANTS.gamepad);
  access.follow({ grants: GRANTS_ALL, secondsLeft: 300 });
  assert.equal(access.grants, GRANTS.gamepad);
  access.follow({ grants: GRANTS.keyboard, secondsLeft: 299 });
  assert.equal(access.grants, 0);
  access.limit(GRANTS_ALL);
  assert.equal(access.grants, GRANTS.keyboard);
});

Deno.test("StreamAccess tells what is left now, never 0 for access that ends", () => {
  const clock = new FakeClock();
  const access = new StreamAccess(clock, { grants: GRANTS_ALL, secondsLeft: 60 });
  clock.advance(30_500);
  assert.equal(access.remainingSeconds, 30);
  clock.advance(60_000);
  assert.equal(access.remainingSeconds, 1);
  access.follow({ grants: GRANTS_ALL, secondsLeft: 1e12 });
  assert.equal(access.remainingSeconds, 0xffff_ffff);
  access.follow({ grants: GRANTS_ALL, secondsLeft: undefined });
  assert.equal(access.remainingSeconds, 0);
});
