import assert from "node:assert/strict";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { createPipewireAudio, type PipewireAudio } from "../../src/audio/pipewire.ts";
import type { AudioChannels, AudioSource, AudioSourceSpec } from "../../src/media/ports.ts";
import { openPipewireAudioSource } from "../../src/media/sources/pipewire.ts";
import { isLost, PipewireLab } from "./pipewire_lab.ts";
import {
  channelOf,
  encodeWav,
  makeTones,
  measureTone,
  peakOf,
  record,
  recordSound,
} from "./pipewire_tone.ts";

/** Outside of the tests: it keeps libc open. */
const CLOCK = openSystemClock();

function backendOf(lab: PipewireLab): PipewireAudio {
  return createPipewireAudio({
    socketPath: lab.socketPath,
    stateDirectory: lab.stateDirectory,
    clock: CLOCK,
  });
}

function openSource(spec: AudioSourceSpec): AudioSource {
  assert.ok(spec.kind === "pipewire");
  return openPipewireAudioSource(spec);
}

/** Play tones into the default sink until the test ends. */
async function playTones(
  lab: PipewireLab,
  frequenciesHz: readonly number[],
): Promise<AsyncDisposable> {
  const path = `${lab.directory}/tone.wav`;
  await Deno.writeFile(path, encodeWav(makeTones(frequenciesHz, 10_000), frequenciesHz.length));
  const player = lab.spawn("pw-play", [path]);
  return {
    async [Symbol.asyncDispose]() {
      player.kill("SIGKILL");
      await player.status;
    },
  };
}

function assertTone(samples: Float32Array, frequencyHz: number, amplitude = 0.5): void {
  const tone = measureTone(samples);
  assert.ok(Math.abs(tone.frequencyHz - frequencyHz) < frequencyHz * 0.005, JSON.stringify(tone));
  assert.ok(Math.abs(tone.amplitude - amplitude) < 0.03, JSON.stringify(tone));
}

Deno.test("openPipewireAudioSource() hears what an application plays into the default sink", async () => {
  await using lab = await PipewireLab.start();
  await using claim = await backendOf(lab).claim({ channels: 2, isHeardOnHost: false });
  using source = openSource(claim.source);
  await using _player = await playTones(lab, [1000, 440]);
  const samples = await recordSound(source, 100);
  assertTone(channelOf(samples, { index: 0, of: 2 }), 1000);
  assertTone(channelOf(samples, { index: 1, of: 2 }), 440);
});

for (const channels of [6, 8] as const satisfies AudioChannels[]) {
  Deno.test(`openPipewireAudioSource() keeps the order of ${channels} channels`, async () => {
    await using lab = await PipewireLab.start();
    await using claim = await backendOf(lab).claim({ channels, isHeardOnHost: false });
    using source = openSource(claim.source);
    const frequencies = [300, 400, 500, 600, 700, 800, 900, 1000].slice(0, channels);
    await using _player = await playTones(lab, frequencies);
    const samples = await recordSound(source, 100);
    frequencies.forEach((hz, index) => assertTone(channelOf(samples, { index, of: channels }), hz));
  });
}

Deno.test("claim() keeps the sound on the speakers when it is to be heard there", async () => {
  await using lab = await PipewireLab.start();
  await using claim = await backendOf(lab).claim({ channels: 6, isHeardOnHost: true });
  using source = openSource(claim.source);
  using speakers = openSource({
    kind: "pipewire",
    channels: 2,
    socketPath: lab.socketPath,
    sinkName: "speakers",
  });
  await using _player = await playTones(lab, [1000, 440, 0, 0, 0, 0]);
  await recordSound(source, 1);
  const heard = await recordSound(speakers, 100);
  // Room is left for what centre and rear would add.
  assertTone(channelOf(heard, { index: 0, of: 2 }), 1000, 0.207);
  assertTone(channelOf(heard, { index: 1, of: 2 }), 440, 0.207);
});

/** Read two seconds; they take no less, and more only where the machine is too busy to read. */
async function assertSilence(source: AudioSource, channels: number): Promise<void> {
  const startMs = performance.now();
  const blocks = await record(source, 400);
  const ratio = (performance.now() - startMs) / (400 * 5);
  assert.ok(blocks.every((block) => block.length === 240 * channels && peakOf(block) === 0));
  assert.ok(ratio > 0.97 && ratio < 1.3, `ratio to real time is ${ratio}`);
}

Deno.test("AudioSource.next() gives silence at the nominal rate while nothing plays", async () => {
  await using lab = await PipewireLab.start();
  await using claim = await backendOf(lab).claim({ channels: 2, isHeardOnHost: false });
  using source = openSource(claim.source);
  await assertSilence(source, 2);
});

Deno.test("AudioSource.next() gives silence at the nominal rate without a sink to capture from", async () => {
  await using lab = await PipewireLab.start();
  // Without the session manager nobody connects the stream: what a suspended graph looks like.
  await lab.killSessionManager();
  using source = openSource({
    kind: "pipewire",
    channels: 6,
    socketPath: lab.socketPath,
    sinkName: "speakers",
  });
  await assertSilence(source, 6);
});

Deno.test("AudioSource.next() says so when PipeWire ends, and close() stays clean", async () => {
  await using lab = await PipewireLab.start();
  const backend = backendOf(lab);
  const claim = await backend.claim({ channels: 2, isHeardOnHost: false });
  const source = openSource(claim.source);
  await record(source, 20);
  await lab.killPipewire();
  await assert.rejects(record(source, 400), isLost);
  source.close();
  source.close();
  await assert.rejects(source.next(240, 10), { code: "failed" });
  await claim.close();
  assert.equal((await backend.probe()).isAvailable, false);
});

Deno.test("AudioSource.next() says so when its sink is taken away", async () => {
  await using lab = await PipewireLab.start();
  const claim = await backendOf(lab).claim({ channels: 2, isHeardOnHost: false });
  using source = openSource(claim.source);
  await record(source, 20);
  await claim.close();
  await assert.rejects(record(source, 400), { code: "capture-lost" });
});

Deno.test("openPipewireAudioSource() says so when nobody answers at the socket", () => {
  assert.throws(
    () =>
      openSource({
        kind: "pipewire",
        channels: 2,
        socketPath: "/nonexistent/pipewire-0",
        sinkName: "punktfunk-1",
      }),
    { code: "unavailable" },
  );
});
