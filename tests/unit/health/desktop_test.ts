import assert from "node:assert/strict";
import {
  describeSession,
  displayFinding,
  gatherDisplay,
  gatherSound,
  soundFinding,
} from "../../../src/health/desktop.ts";
import { FakeClock } from "../../../src/lib/clock.ts";

const BARE = { XDG_RUNTIME_DIR: "/nonexistent" };

function display(variables: Record<string, string>, source: "auto" | "synthetic" = "auto") {
  const environment = new Map(Object.entries({ ...BARE, ...variables }));
  return gatherDisplay({ source, environment, clock: new FakeClock() });
}

Deno.test("displayFinding() warns when only the test picture is left, and not when it is wanted", async () => {
  const fallback = displayFinding(await display({ XDG_SESSION_TYPE: "x11" }));
  assert.equal(fallback.state, "warning");
  assert.match(fallback.summary, /^The synthetic picture is shown, .*\(x11 session\)$/);
  assert.notEqual(fallback.remedy, undefined);
  for (
    const facts of [
      await display({ PUNKTFUNK_COMPOSITOR: "synthetic" }),
      await display({}, "synthetic"),
    ]
  ) {
    assert.equal(displayFinding(facts).state, "ok");
  }
});

Deno.test("displayFinding() faults a compositor that is asked for and not there, or unknown", async () => {
  const absent = displayFinding(await display({ PUNKTFUNK_COMPOSITOR: "sway" }));
  assert.equal(absent.state, "fault");
  assert.match(absent.summary, /as PUNKTFUNK_COMPOSITOR asks.*\(no desktop session\)$/);
  const unknown = displayFinding(await display({ PUNKTFUNK_COMPOSITOR: "weston" }));
  assert.equal(unknown.state, "fault");
  assert.match(unknown.remedy ?? "", /^Set it to one of/);
});

Deno.test("displayFinding() names the backend that would make displays", () => {
  const finding = displayFinding({
    session: "wayland session, sway",
    backend: { id: "wlroots", label: "Sway / wlroots" },
    reason: "Sway 1.9 runs",
    isPinned: false,
  });
  assert.deepEqual(finding, {
    state: "ok",
    summary: "Virtual displays by Sway / wlroots: Sway 1.9 runs (wayland session, sway)",
  });
});

Deno.test("describeSession() takes what the variables tell", () => {
  const table: [Record<string, string>, string][] = [
    [{}, ""],
    [{ XDG_SESSION_TYPE: "tty" }, "tty session"],
    [{ WAYLAND_DISPLAY: "wayland-0", DISPLAY: ":0" }, "wayland session"],
    [{ DISPLAY: ":0", XDG_CURRENT_DESKTOP: "KDE" }, "x11 session, KDE"],
    [{ DESKTOP_SESSION: "gnome" }, "gnome"],
  ];
  for (const [variables, text] of table) {
    assert.equal(describeSession(new Map(Object.entries(variables))), text);
  }
});

Deno.test("gatherSound() tells a socket nobody listens at from none", async () => {
  assert.deepEqual(await gatherSound(undefined), {
    socketPath: undefined,
    isListening: false,
    hasSessionManager: false,
    sinkCount: 0,
    defaultSink: null,
  });
  assert.equal((await gatherSound("/nonexistent/pipewire-0")).isListening, false);
});

Deno.test("soundFinding() warns of every link that is missing, with its remedy", () => {
  const facts = {
    socketPath: "/run/pipewire-0",
    isListening: true,
    version: "1.4.2",
    hasSessionManager: true,
    sinkCount: 2,
    defaultSink: "speakers",
  };
  assert.deepEqual(soundFinding(facts), {
    state: "ok",
    summary: "PipeWire 1.4.2, sinks: 2, default: speakers",
  });
  const error = { message: "Cannot reach PipeWire: it does not answer" };
  const table = [
    [{ ...facts, socketPath: undefined }, /^XDG_RUNTIME_DIR is not set/, /^export XDG_RUNTIME_DIR/],
    [
      { ...facts, isListening: false },
      /does not listen at \/run\/pipewire-0/,
      /enable --now pipewire/,
    ],
    [{ ...facts, error }, /^Cannot reach PipeWire.*, at \/run\/pipewire-0$/, /restart pipewire/],
    [{ ...facts, error: { ...error, remedy: "Install it" } }, /^Cannot reach/, /^Install it$/],
    [
      { ...facts, hasSessionManager: false },
      /1\.4\.2 runs without a session manager/,
      /wireplumber/,
    ],
  ] as const;
  for (const [given, summary, remedy] of table) {
    const finding = soundFinding(given);
    assert.equal(finding.state, "warning");
    assert.match(finding.summary, summary);
    assert.match(finding.remedy ?? "", remedy);
  }
});
