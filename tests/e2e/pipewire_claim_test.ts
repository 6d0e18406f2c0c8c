import assert from "node:assert/strict";
import { createPipewireAudio, type PipewireAudio } from "../../src/audio/pipewire.ts";
import type { AudioClaim } from "../../src/audio/ports.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { eventually, type LabState, PipewireLab } from "./pipewire_lab.ts";

/** Outside of the tests: it keeps libc open. */
const CLOCK = openSystemClock();

const CHILD = new URL("./pipewire_claim_child.ts", import.meta.url).pathname;
const STEREO = { channels: 2, isHeardOnHost: false } as const;

function backendOf(lab: PipewireLab): PipewireAudio {
  return createPipewireAudio({
    socketPath: lab.socketPath,
    stateDirectory: lab.stateDirectory,
    clock: CLOCK,
  });
}

function sinkOf(claim: AudioClaim): string {
  assert.ok(claim.source.kind === "pipewire");
  return claim.source.sinkName;
}

/** Wait for the session manager to follow; then everything else has settled too. */
function stateWithDefault(lab: PipewireLab, name: string): Promise<LabState> {
  return eventually(`"${name}" is in effect`, async () => {
    const state = await lab.state();
    return state.effectiveSink === name ? state : undefined;
  });
}

async function assertUntouched(lab: PipewireLab, configured = "speakers"): Promise<void> {
  const state = await stateWithDefault(lab, configured);
  assert.equal(state.configuredSink, configured);
  assert.deepEqual(state.nodeNames, [
    "Dummy-Driver",
    "Freewheel-Driver",
    "headphones",
    "speakers",
  ]);
  const journal = [...Deno.readDirSync(lab.stateDirectory)].map((entry) => entry.name);
  assert.deepEqual(journal, []);
}

Deno.test("claim() makes its sink the default before it resolves, and close() puts back the former", async () => {
  await using lab = await PipewireLab.start();
  const backend = backendOf(lab);
  assert.match((await backend.probe()).reason, /^PipeWire [0-9.]+ answers at/);
  const claim = await backend.claim(STEREO);
  const state = await lab.state();
  assert.equal(state.effectiveSink, sinkOf(claim));
  assert.equal(state.configuredSink, sinkOf(claim));
  await claim.close();
  await claim.close();
  await assertUntouched(lab);
});

for (const order of ["first", "last"] as const) {
  Deno.test(`close() of the ${order} claim first leaves a default that exists, then the former`, async () => {
    await using lab = await PipewireLab.start();
    const backend = backendOf(lab);
    const claims = [await backend.claim(STEREO), await backend.claim(STEREO)];
    assert.deepEqual(claims.map(sinkOf), ["punktfunk-1", "punktfunk-2"]);
    if (order === "last") claims.reverse();
    const [closedFirst, closedLast] = claims;
    assert.ok(closedFirst !== undefined && closedLast !== undefined);
    await closedFirst.close();
    const between = await stateWithDefault(lab, sinkOf(closedLast));
    assert.equal(between.configuredSink, sinkOf(closedLast));
    assert.ok(!between.nodeNames.includes(sinkOf(closedFirst)));
    await closedLast.close();
    await assertUntouched(lab);
  });
}

Deno.test("close() leaves a default that somebody chose meanwhile", async () => {
  await using lab = await PipewireLab.start();
  const claim = await backendOf(lab).claim(STEREO);
  await lab.configureSink("headphones");
  await claim.close();
  await assertUntouched(lab, "headphones");
});

Deno.test("recover() puts back the default after the host was killed", async () => {
  await using lab = await PipewireLab.start();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", CHILD, lab.socketPath, lab.stateDirectory],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value?.trim(), "punktfunk-1");
  const claimed = await lab.state();
  assert.equal(claimed.effectiveSink, "punktfunk-1");
  // While its owner lives, nothing is to recover.
  assert.deepEqual(await backendOf(lab).recover(), []);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();

  const orphaned = await eventually("the server removes the killed host's nodes", async () => {
    const state = await lab.state();
    return state.nodeNames.some((name) => name.startsWith("punktfunk")) ? undefined : state;
  });
  assert.equal(orphaned.configuredSink, "punktfunk-1");
  const backend = backendOf(lab);
  assert.deepEqual(await backend.recover(), ['Made "speakers" the default sink again']);
  await assertUntouched(lab);
  assert.deepEqual(await backend.recover(), []);
});

Deno.test("claim() undoes what a killed host left when PipeWire was not there for recover()", async () => {
  await using lab = await PipewireLab.start();
  const backend = backendOf(lab);
  const lost = await backend.claim(STEREO);
  await lab.defaultIsOnDisk(sinkOf(lost));
  await lab.killPipewire();
  await lost.close();
  assert.deepEqual(await backend.recover(), []);
  await lab.startPipewire();
  assert.equal((await lab.state()).configuredSink, sinkOf(lost));
  const claim = await backend.claim(STEREO);
  assert.equal((await lab.state()).effectiveSink, sinkOf(claim));
  await claim.close();
  await assertUntouched(lab);
});

Deno.test("claim() and close() leave no node and no descriptor behind, twenty times", async () => {
  await using lab = await PipewireLab.start();
  const backend = backendOf(lab);
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  await (await backend.claim(STEREO)).close();
  const before = descriptors();
  for (let cycle = 0; cycle < 20; cycle++) {
    const claim = await backend.claim({ channels: 6, isHeardOnHost: cycle % 4 === 0 });
    await claim.close();
  }
  assert.equal(descriptors(), before);
  await assertUntouched(lab);
});

Deno.test("claim() without a session manager is refused and leaves nothing", async () => {
  await using lab = await PipewireLab.start();
  await lab.killSessionManager();
  const backend = backendOf(lab);
  assert.deepEqual(await backend.probe(), {
    isAvailable: false,
    reason: "Cannot read the default sink: no session manager is running. " +
      "Start WirePlumber in this user's session",
  });
  await assert.rejects(backend.claim(STEREO), { code: "unavailable" });
  const { nodeNames } = await lab.state();
  assert.ok(!nodeNames.some((name) => name.startsWith("punktfunk")));
});
