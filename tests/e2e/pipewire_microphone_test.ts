import assert from "node:assert/strict";
import { createPipewireAudio } from "../../src/audio/pipewire.ts";
import type { MicrophoneSink } from "../../src/audio/ports.ts";
import { openPipewireAudioSource } from "../../src/media/sources/pipewire.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { PipewireLab } from "./pipewire_lab.ts";
import { decodeMonoWav, makeTones, measureTone, RATE_HZ } from "./pipewire_tone.ts";

/** Outside of the tests: it keeps libc open. */
const CLOCK = openSystemClock();

const BLOCK_SAMPLES = 480;

/** Speak a tone for as long as it lasts; the silence of a sink's monitor is the clock. */
async function speak(
  microphone: MicrophoneSink,
  options: { readonly lab: PipewireLab; readonly tone: Float32Array },
): Promise<void> {
  using clock = openPipewireAudioSource({
    kind: "pipewire",
    channels: 2,
    socketPath: options.lab.socketPath,
    sinkName: "speakers",
  });
  for (let start = 0; start < options.tone.length; start += BLOCK_SAMPLES) {
    await clock.next(BLOCK_SAMPLES, 100);
    const block = new Uint8Array(options.tone.slice(start, start + BLOCK_SAMPLES).buffer);
    const pointer = Deno.UnsafePointer.of(block);
    assert.ok(pointer !== null);
    microphone.write({ pointer, sizeBytes: block.byteLength });
  }
}

Deno.test("openMicrophone() gives applications a source that records what is written", async () => {
  await using lab = await PipewireLab.start();
  const backend = createPipewireAudio({
    socketPath: lab.socketPath,
    stateDirectory: lab.stateDirectory,
    clock: CLOCK,
  });
  using microphone = backend.openMicrophone({ name: "punktfunk-microphone", channels: 1 });
  const path = `${lab.directory}/recorded.wav`;
  const recorder = lab.spawn("pw-record", [
    "--target=punktfunk-microphone",
    "--channels=1",
    "--format=f32",
    path,
  ]);
  await speak(microphone, { lab, tone: makeTones([440], 2000) });
  recorder.kill("SIGINT");
  await recorder.status;

  const recorded = decodeMonoWav(await Deno.readFile(path));
  const start = recorded.findIndex((sample) => Math.abs(sample) > 0.1);
  assert.ok(start >= 0, "nothing but silence was recorded");
  // One second from the middle: at the start the recorder may still settle its rate.
  const window = recorded.slice(start + RATE_HZ / 4, start + RATE_HZ * 5 / 4);
  assert.equal(window.length, RATE_HZ);
  const tone = measureTone(window);
  assert.ok(Math.abs(tone.frequencyHz - 440) < 3, JSON.stringify(tone));
  assert.ok(Math.abs(tone.amplitude - 0.5) < 0.05, JSON.stringify(tone));

  microphone.close();
  microphone.close();
  const { nodeNames } = await lab.state();
  assert.ok(!nodeNames.includes("punktfunk-microphone"));
});
