import assert from "node:assert/strict";
import { FakeClock } from "../../../src/lib/clock.ts";
import { OperationError } from "../../../src/lib/errors.ts";
import {
  type ArmRequest,
  PAIRING_COOL_DOWN_MS,
  PairingWindow,
} from "../../../src/trust/pairing_window.ts";
import { PHONE, TABLET } from "./native_fixture.ts";

function makeWindow(randomInt: (below: number) => number = () => 7) {
  const clock = new FakeClock();
  return { clock, window: new PairingWindow({ clock, randomInt }) };
}

/** The reason or "guess"; the cool-down is over before and after. */
function tryAt(
  lab: ReturnType<typeof makeWindow>,
  fingerprint = PHONE,
  source: "lan" | "wan" = "lan",
) {
  lab.clock.advance(PAIRING_COOL_DOWN_MS);
  const admission = lab.window.admit(fingerprint, source);
  return admission.kind === "guess" ? admission.guess : admission.reason;
}

Deno.test("PairingWindow.arm() shows four digits, leading zeros kept, for two minutes", () => {
  const lab = makeWindow((below) => {
    assert.equal(below, 10_000);
    return 7;
  });
  assert.equal(lab.window.armed(), undefined);
  const armed = { pin: "0007", secondsLeft: 120, fingerprint: undefined };
  assert.deepEqual(lab.window.arm(), armed);
  lab.clock.advance(500);
  assert.deepEqual(lab.window.armed(), armed);
  lab.clock.advance(118_500);
  assert.equal(lab.window.armed()?.secondsLeft, 1);
  lab.clock.advance(1000);
  assert.equal(lab.window.armed(), undefined);
  assert.equal(tryAt(lab), "not-armed");
});

Deno.test("PairingWindow.arm() draws PINs from the system, each of four digits", () => {
  const window = new PairingWindow({ clock: new FakeClock() });
  const pins = new Set(Array.from({ length: 64 }, () => window.arm().pin));
  for (const pin of pins) assert.match(pin, /^[0-9]{4}$/);
  // 64 draws of 10 000 that are all alike would be a broken source, not bad luck.
  assert.ok(pins.size > 1);
});

Deno.test("PairingWindow.arm() keeps its lifetime within 15 and 600 s, or open for good", () => {
  const { window, clock } = makeWindow();
  const table: [ArmRequest, number | undefined][] = [
    [{ ttlS: 0 }, 15],
    [{ ttlS: 15 }, 15],
    [{ ttlS: 600 }, 600],
    [{ ttlS: 601 }, 600],
    [{ ttlS: null }, undefined],
  ];
  for (const [request, secondsLeft] of table) {
    assert.equal(window.arm(request).secondsLeft, secondsLeft);
  }
  clock.advance(1e9);
  assert.equal(window.armed()?.pin, "0007");
});

Deno.test("PairingWindow.arm() takes a fixed PIN and refuses a blank or endless one", () => {
  const { window } = makeWindow();
  assert.equal(window.arm({ pin: "4321", ttlS: null }).pin, "4321");
  assert.equal(window.arm({ pin: "x".repeat(64) }).pin.length, 64);
  for (const pin of ["", "  ", "x".repeat(65)]) {
    assert.throws(
      () => window.arm({ pin }),
      (error) => error instanceof OperationError && error.code === "invalid",
    );
  }
  assert.equal(window.armed()?.pin.length, 64);
});

Deno.test("PairingWindow.admit() hands out one guess, which is gone once consumed", () => {
  const lab = makeWindow();
  const offer = { grants: 1 };
  lab.window.arm({ offer });
  const dropped = tryAt(lab);
  assert.ok(typeof dropped !== "string");
  assert.deepEqual([dropped.pin, dropped.grant], ["0007", offer]);
  const guess = tryAt(lab, TABLET);
  assert.ok(typeof guess !== "string", "a guess that was not consumed leaves the window open");
  guess.consume();
  assert.equal(lab.window.armed(), undefined);
  assert.equal(tryAt(lab), "not-armed");
  lab.window.arm();
  guess.consume();
  assert.ok(lab.window.armed(), "an old guess does not close a newer window");
});

Deno.test("PairingWindow.admit() keeps attempts of all peers two seconds apart, before all else", () => {
  const { window, clock } = makeWindow();
  assert.deepEqual(window.admit(PHONE, "lan"), { kind: "refused", reason: "not-armed" });
  window.arm();
  clock.advance(PAIRING_COOL_DOWN_MS - 1);
  assert.deepEqual(window.admit(TABLET, "lan"), { kind: "refused", reason: "rate-limited" });
  clock.advance(1);
  assert.equal(window.admit(TABLET, "lan").kind, "guess", "a refused attempt charges nothing");
  assert.deepEqual(window.admit(TABLET, "lan"), { kind: "refused", reason: "rate-limited" });
});

Deno.test("PairingWindow.admit() keeps a bound window for its device", () => {
  const lab = makeWindow();
  lab.window.arm({ fingerprint: PHONE.toUpperCase() });
  assert.equal(lab.window.armed()?.fingerprint, PHONE);
  assert.equal(tryAt(lab, TABLET), "bound-other");
  assert.equal(tryAt(lab, TABLET, "wan"), "bound-other");
  assert.notEqual(typeof tryAt(lab, PHONE), "string");
  assert.notEqual(typeof tryAt(lab, PHONE, "wan"), "string");
});

Deno.test("PairingWindow.admit() hides an unbound window from the internet and keeps it", () => {
  const lab = makeWindow();
  lab.window.arm();
  assert.equal(tryAt(lab, PHONE, "wan"), "not-armed");
  assert.notEqual(typeof tryAt(lab, PHONE, "lan"), "string");
});

Deno.test("PairingWindow.disarm() tells whether a window was open", () => {
  const lab = makeWindow();
  assert.equal(lab.window.disarm(), false);
  lab.window.arm();
  assert.equal(lab.window.disarm(), true);
  assert.equal(tryAt(lab), "not-armed");
  lab.window.arm({ ttlS: 15 });
  lab.clock.advance(15_000);
  assert.equal(lab.window.disarm(), false);
});
