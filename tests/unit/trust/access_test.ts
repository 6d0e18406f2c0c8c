import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import {
  ACCESS_PRESETS,
  accessLevelOf,
  beginAccess,
  grantsOfPreset,
  isExpired,
  readGrants,
  requireGrants,
  secondsLeft,
} from "../../../src/trust/access.ts";

Deno.test("accessLevelOf() inverts grantsOfPreset() and calls the rest custom", () => {
  for (const preset of ACCESS_PRESETS) assert.equal(accessLevelOf(grantsOfPreset(preset)), preset);
  for (const grants of [0x02, 0x3f, 0xfe]) assert.equal(accessLevelOf(grants), "custom");
});

Deno.test("readGrants() drops bits nobody knows and reads older values for all", () => {
  assert.deepEqual([0x3f, 0x7f, 0xff, 0x3e, 0x100, 0x1ff].map(readGrants), [
    0xff,
    0xff,
    0xff,
    0x3e,
    0,
    0xff,
  ]);
});

Deno.test("requireGrants() refuses bits nobody knows", () => {
  assert.equal(requireGrants(0), 0);
  assert.equal(requireGrants(0xff), 0xff);
  for (const grants of [0x100, -1, 1.5, NaN]) {
    assert.throws(
      () => requireGrants(grants),
      (error) => error instanceof OperationError && error.code === "invalid",
    );
  }
});

Deno.test("beginAccess() gives all for good unless it is told otherwise", () => {
  const nowMs = 5_999;
  const full = { grants: 0xff, expiresUnix: undefined, isUntilDisconnect: false };
  assert.deepEqual(beginAccess({}, { nowMs }), full);
  const known = { grants: 1, expiresUnix: 2, isUntilDisconnect: true };
  assert.deepEqual(beginAccess({}, { nowMs, known }), { ...full, grants: 1 });
  assert.deepEqual(beginAccess({ grants: 0, lifetimeS: 10 }, { nowMs, known }), {
    ...full,
    grants: 0,
    expiresUnix: 15,
  });
});

Deno.test("secondsLeft() rounds up and ends at 0, together with isExpired()", () => {
  const access = { grants: 0, expiresUnix: 100, isUntilDisconnect: false };
  for (const [nowMs, left] of [[0, 100], [99_001, 1], [99_999, 1], [100_000, 0], [200_000, 0]]) {
    assert.equal(secondsLeft(access, nowMs ?? 0), left);
    assert.equal(isExpired(access, nowMs ?? 0), left === 0);
  }
  assert.equal(secondsLeft({ ...access, expiresUnix: undefined }, 0), undefined);
  assert.equal(isExpired({ ...access, expiresUnix: undefined }, 1e15), false);
});
