import assert from "node:assert/strict";
import { describeMonitors, listSwayMonitors, type Monitor } from "../../../src/display/monitors.ts";
import { FakeClock } from "../../../src/lib/clock.ts";

const MONITOR: Monitor = {
  connector: "DP-1",
  mode: { widthPixels: 2560, heightPixels: 1440, refreshMilliHz: 59_940 },
  x: 0,
  y: 0,
  scale: 1.25,
  description: "Dell Inc. U2720Q",
  isDisabled: false,
  isVirtual: false,
  isPinned: false,
};

Deno.test("describeMonitors() names the backend, then each head with what marks it", () => {
  const text = describeMonitors("Wlroots", [
    MONITOR,
    {
      ...MONITOR,
      connector: "HEADLESS-1",
      x: -1920,
      y: 40,
      scale: 1,
      description: "",
      isVirtual: true,
      isPinned: true,
    },
    { ...MONITOR, connector: "HDMI-A-1", mode: undefined, scale: 1, isDisabled: true },
  ]);
  assert.equal(
    text,
    [
      "Wlroots:",
      "  DP-1  2560x1440@59.94  at +0,+0  scale 1.25  Dell Inc. U2720Q",
      "  HEADLESS-1  2560x1440@59.94  at -1920,+40  scale 1  [punktfunk virtual display, PINNED]",
      "  HDMI-A-1  at +0,+0  scale 1  Dell Inc. U2720Q  [disabled]",
    ].join("\n"),
  );
});

Deno.test("describeMonitors() says when there are none", () => {
  assert.equal(describeMonitors("Wlroots", []), "Wlroots: no monitors");
});

Deno.test("listSwayMonitors() tells that no Sway runs", async () => {
  const environment = new Map([["XDG_RUNTIME_DIR", "/nonexistent"]]);
  await assert.rejects(
    listSwayMonitors({ environment, clock: new FakeClock() }),
    { name: "OperationError", code: "missing-compositor" },
  );
});
