import assert from "node:assert/strict";
import { AudioJournal } from "../../../src/audio/journal.ts";
import { thisProcess } from "../../../src/platform/process_identity.ts";
import { createPipewireAudio, type PipewireAudio } from "../../../src/audio/pipewire.ts";
import { FakeClock } from "../../../src/lib/clock.ts";
import { FakeSoundServer } from "./fake_sound_server.ts";

const STEREO = { channels: 2, isHeardOnHost: false } as const;

interface Bench extends AsyncDisposable {
  readonly server: FakeSoundServer;
  readonly clock: FakeClock;
  readonly backend: PipewireAudio;
  readonly journal: AudioJournal;
}

async function openBench(): Promise<Bench> {
  const stateDirectory = await Deno.makeTempDir({ prefix: "punktfunk-audio-" });
  const server = new FakeSoundServer();
  const clock = new FakeClock();
  return {
    server,
    clock,
    backend: createPipewireAudio({
      socketPath: "/nonexistent/pipewire-0",
      stateDirectory,
      clock,
      connect: server.connect,
    }),
    journal: new AudioJournal(stateDirectory),
    [Symbol.asyncDispose]: () => Deno.remove(stateDirectory, { recursive: true }),
  };
}

async function assertNothingLeft(bench: Bench, configured: string | null): Promise<void> {
  assert.equal(bench.server.configured, configured);
  assert.deepEqual(bench.server.nodeNames, ["speakers", "headphones"]);
  assert.equal(bench.server.openConnections, 0);
  assert.equal(bench.clock.pendingTimers, 0);
  assert.equal(await bench.journal.read(0), undefined);
}

Deno.test("claim() journals the former default, then makes its sink the default", async () => {
  await using bench = await openBench();
  const claim = await bench.backend.claim(STEREO);
  assert.equal(bench.server.effective, "punktfunk-1");
  assert.deepEqual(await bench.journal.read(0), {
    owner: await thisProcess(),
    claims: [{ sinkName: "punktfunk-1", replaced: "speakers" }],
  });
  assert.deepEqual(claim.source, {
    kind: "pipewire",
    channels: 2,
    socketPath: "/nonexistent/pipewire-0",
    sinkName: "punktfunk-1",
  });
  await claim.close();
  await claim.close();
  await assertNothingLeft(bench, "speakers");
});

Deno.test("close() unsets the default when none was configured", async () => {
  await using bench = await openBench();
  bench.server.configured = null;
  await (await bench.backend.claim(STEREO)).close();
  await assertNothingLeft(bench, null);
});

Deno.test("close() in every order leaves a default that exists, and in the end the former", async () => {
  for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
    await using bench = await openBench();
    const claims = await Promise.all([1, 2, 3].map(() => bench.backend.claim(STEREO)));
    for (const index of order) {
      await claims[index]?.close();
      assert.ok(
        bench.server.configured !== null &&
          bench.server.nodeNames.includes(bench.server.configured),
        `after ${index} of ${order}`,
      );
    }
    await assertNothingLeft(bench, "speakers");
  }
});

Deno.test("close() leaves what somebody chose between two claims, and during them", async () => {
  await using bench = await openBench();
  const first = await bench.backend.claim(STEREO);
  bench.server.configured = "headphones";
  const second = await bench.backend.claim(STEREO);
  await second.close();
  assert.equal(bench.server.configured, "headphones");
  await first.close();
  await assertNothingLeft(bench, "headphones");
});

Deno.test("claim() echoes to the speakers behind an earlier claim, never to a sink of ours", async () => {
  await using bench = await openBench();
  const heard = { channels: 6, isHeardOnHost: true } as const;
  const claims = [await bench.backend.claim(STEREO), await bench.backend.claim(heard)];
  assert.deepEqual(
    bench.server.echoes.map((echo) => (echo as Record<string, unknown>)["target.object"]),
    ["speakers"],
  );
  for (const claim of claims) await claim.close();
  await assertNothingLeft(bench, "speakers");
});

Deno.test("claim() takes back everything when the session manager does not follow", async () => {
  await using bench = await openBench();
  bench.server.isFollowing = false;
  const failed = assert.rejects(bench.backend.claim({ ...STEREO, isHeardOnHost: true }), {
    code: "unavailable",
  });
  let isSettled = false;
  failed.finally(() => isSettled = true);
  while (!isSettled) {
    bench.clock.advance(10);
    await new Promise((resolve) => setTimeout(resolve));
  }
  await failed;
  await assertNothingLeft(bench, "speakers");
});

Deno.test("claim() keeps the journal of a crash when the server is not there", async () => {
  await using bench = await openBench();
  const owner = { ...await thisProcess(), startTicks: 1 };
  const claims = [{ sinkName: "punktfunk-1", replaced: "headphones" }];
  await bench.journal.write({ owner, claims });
  bench.server.configured = "punktfunk-1";
  bench.server.isGone = true;
  await assert.rejects(bench.backend.claim(STEREO), { code: "unavailable" });
  assert.deepEqual(await bench.backend.recover(), []);
  assert.deepEqual((await bench.journal.read(0))?.claims, claims);

  bench.server.isGone = false;
  const claim = await bench.backend.claim(STEREO);
  await claim.close();
  await assertNothingLeft(bench, "headphones");
});

Deno.test("recover() follows the chain of a crash with several claims and removes stray sinks", async () => {
  await using bench = await openBench();
  await bench.journal.write({
    owner: { ...await thisProcess(), startTicks: 1 },
    claims: [
      { sinkName: "punktfunk-1", replaced: "headphones" },
      { sinkName: "punktfunk-2", replaced: "punktfunk-1" },
    ],
  });
  bench.server.addSink("punktfunk-1");
  bench.server.configured = "punktfunk-2";
  assert.deepEqual(await bench.backend.recover(), [
    'Made "headphones" the default sink again',
    'Removed the virtual sink "punktfunk-1"',
  ]);
  await assertNothingLeft(bench, "headphones");
});

Deno.test("recover() leaves alone what a running process or an open claim uses", async () => {
  await using bench = await openBench();
  const claim = await bench.backend.claim(STEREO);
  assert.deepEqual(await bench.backend.recover(), []);
  assert.equal(bench.server.effective, "punktfunk-1");
  await claim.close();

  // Process 1 runs, whatever it is.
  const stat = await Deno.readTextFile("/proc/1/stat");
  const startTicks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  await bench.journal.write({
    owner: { processId: 1, startTicks },
    claims: [{ sinkName: "punktfunk-1", replaced: "headphones" }],
  });
  bench.server.configured = "punktfunk-1";
  assert.deepEqual(await bench.backend.recover(), []);
  assert.equal(bench.server.configured, "punktfunk-1");
});

Deno.test("close() after the server came back undoes what it kept, also beside a new claim", async () => {
  await using bench = await openBench();
  const lost = [await bench.backend.claim(STEREO), await bench.backend.claim(STEREO)];
  bench.server.crash();
  await lost[0]?.close();
  assert.equal(bench.clock.pendingTimers, 0);
  bench.server.isGone = false;
  const claim = await bench.backend.claim(STEREO);
  assert.equal(bench.server.effective, "punktfunk-1");
  // It had the name that the new claim has now.
  await lost[1]?.close();
  assert.equal(bench.server.effective, "punktfunk-1");
  await claim.close();
  await assertNothingLeft(bench, "speakers");
});

Deno.test("a claim answers the server while it waits, and stops when the server is gone", async () => {
  await using bench = await openBench();
  const claim = await bench.backend.claim(STEREO);
  assert.equal(bench.clock.pendingTimers, 1);
  bench.clock.advance(1000);
  assert.equal(bench.clock.pendingTimers, 1);
  bench.server.crash();
  bench.clock.advance(1000);
  assert.equal(bench.clock.pendingTimers, 0);
  await claim.close();
});

Deno.test("probe() says why not, without a runtime directory and without a server", async () => {
  const clock = new FakeClock();
  const stateDirectory = "/nonexistent";
  const blind = createPipewireAudio({ socketPath: undefined, stateDirectory, clock });
  assert.deepEqual(await blind.probe(), {
    isAvailable: false,
    reason: "Cannot connect to PipeWire: no runtime directory is known. " +
      "Set XDG_RUNTIME_DIR to that of the desktop session",
  });
  await using bench = await openBench();
  assert.deepEqual(await bench.backend.probe(), {
    isAvailable: true,
    reason: "PipeWire 0.0.1 answers at /nonexistent/pipewire-0",
  });
  bench.server.isGone = true;
  assert.equal((await bench.backend.probe()).isAvailable, false);
  assert.equal(bench.server.openConnections, 0);
});
