import assert from "node:assert/strict";
import { IDR_INTERVAL_MIN_US, IdrGovernor } from "../../../src/media/recovery.ts";

Deno.test("IdrGovernor makes the first frame an IDR", () => {
  assert.equal(new IdrGovernor().isDue(0), true);
});

Deno.test("IdrGovernor drops a request that the last IDR cannot have answered yet", () => {
  const governor = new IdrGovernor();
  governor.sent(1_000_000);
  governor.request(1_019_999, 20_000);
  assert.equal(governor.isDue(9_000_000), false);
});

Deno.test("IdrGovernor honours a later request once the interval has passed", () => {
  const governor = new IdrGovernor();
  governor.sent(1_000_000);
  governor.request(1_020_000, 20_000);
  assert.equal(governor.isDue(1_000_000 + IDR_INTERVAL_MIN_US - 1), false);
  assert.equal(governor.isDue(1_000_000 + IDR_INTERVAL_MIN_US), true);
});

Deno.test("IdrGovernor answers requests as late as it is told, and the host's own needs at once", () => {
  const governor = new IdrGovernor({ answerDelayUs: 700_000 });
  assert.equal(governor.isDue(0), true);
  governor.sent(0);
  governor.request(1_000_000, 20_000);
  // Asking again does not make it later.
  governor.request(1_500_000, 20_000);
  assert.equal(governor.isDue(1_699_999), false);
  assert.equal(governor.isDue(1_700_000), true);
  governor.sent(1_700_000);
  governor.request(2_000_000, 20_000);
  governor.force();
  assert.equal(governor.isDue(2_000_000), true);
});

Deno.test("IdrGovernor does not believe a round trip from before the first sample", () => {
  const governor = new IdrGovernor();
  governor.sent(1_000_000);
  governor.request(1_200_000, 500_000);
  assert.equal(governor.isDue(1_200_000), true);
});

Deno.test("IdrGovernor forgets a request once an IDR was sent", () => {
  const governor = new IdrGovernor();
  governor.sent(1_000_000);
  governor.request(2_000_000, 0);
  governor.sent(2_000_000);
  assert.equal(governor.isDue(3_000_000), false);
});

Deno.test("IdrGovernor.force() asks at once", () => {
  const governor = new IdrGovernor();
  governor.sent(1_000_000);
  governor.force();
  assert.equal(governor.isDue(1_000_001), true);
});
