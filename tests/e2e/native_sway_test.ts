/**
 * The native plane on a real desktop: headless Sway for picture and input, PipeWire for sound and voice.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { EnvironmentReader, HostOptions } from "../../src/host_options.ts";
import { type HostLab, openHostLab } from "./host_lab.ts";
import { runProbe } from "./native_lab.ts";
import { PipewireLab } from "./pipewire_lab.ts";
import { decodeMonoWav, measureTone, RATE_HZ } from "./pipewire_tone.ts";
import { SwayLab } from "./sway_lab.ts";

const TONE_HZ = 440;

function openDesktopHost(environment: EnvironmentReader): Promise<HostLab> {
  const options: Partial<HostOptions> = {
    isGamestreamOn: false,
    source: "wlroots",
    pairingPolicy: "open",
  };
  return openHostLab(options, environment);
}

async function probe(host: HostLab, ...args: string[]) {
  const { ports } = await (await host.api("/host")).json();
  const directory = await Deno.makeTempDir({ prefix: "pf-client-" });
  try {
    return await runProbe(ports.native, { quic: "quinn", directory, args });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The output that a session made, once it streams. */
async function madeOutput(sway: SwayLab, host: HostLab): Promise<string> {
  await host.until<{ video_streaming: boolean }>("/status", (status) => status.video_streaming);
  return (await sway.ipc.outputs()).at(-1)?.name ?? "";
}

Deno.test("A native client gets a Sway desktop at its own size, and every picture decodes", async () => {
  await using sway = await SwayLab.start();
  await using host = await openDesktopHost(sway.environment);
  const unit = await Deno.makeTempFile({ suffix: ".h264" });
  const running = probe(host, "--mode", "1024x600@60", "--seconds", "3", "--out", unit);
  await sway.startClient(await madeOutput(sway, host), "moving");
  const { code, result } = await running;
  assert.deepEqual([code, result?.problems], [0, []]);
  assert.deepEqual([result?.stream?.terms.width, result?.stream?.terms.height], [1024, 600]);
  assert.ok((result?.stream?.frames.received ?? 0) > 60, JSON.stringify(result?.stream?.frames));
  const decoded = await new Deno.Command("ffprobe", {
    args: [
      ...["-v", "error", "-count_frames", "-select_streams", "v:0"],
      ...["-show_entries", "stream=width,height,nb_read_frames", "-of", "csv=p=0", unit],
    ],
  }).output();
  await Deno.remove(unit);
  assert.equal(new TextDecoder().decode(decoded.stderr), "");
  assert.equal(
    new TextDecoder().decode(decoded.stdout).trim(),
    `1024,600,${result?.stream?.frames.received}`,
  );
});

Deno.test("What a native client draws and types reaches the desktop", async () => {
  await using sway = await SwayLab.start();
  await using host = await openDesktopHost(sway.environment);
  const running = probe(host, "--seconds", "4", "--input");
  const program = await sway.startClient(await madeOutput(sway, host), "still");
  await program.until(({ event }) => event === "motion");
  await program.until(({ event, isDown }) => event === "key" && isDown === true);
  const { code, result } = await running;
  assert.equal(code, 0);
  assert.ok((result?.stream?.sent.input_events ?? 0) > 0);
});

Deno.test("What a native client says is recorded from a microphone of the desktop", async () => {
  await using sway = await SwayLab.start();
  await using sound = await PipewireLab.start();
  const path = `${sound.directory}/voice.wav`;
  await using host = await openDesktopHost({
    get: (name) => name === "PIPEWIRE_REMOTE" ? sound.socketPath : sway.environment.get(name),
  });
  const running = probe(host, "--seconds", "5", "--mic-tone", String(TONE_HZ));
  const name = await microphoneOf(sound);
  const recorder = sound.spawn("pw-record", [
    ...[`--target=${name}`, "--channels=1", "--format=f32"],
    path,
  ]);
  const { code, result } = await running;
  recorder.kill("SIGINT");
  await recorder.status;
  assert.equal(code, 0);
  assert.ok((result?.stream?.sent.microphone_packets ?? 0) > 400);
  const recorded = decodeMonoWav(await Deno.readFile(path));
  const start = recorded.findIndex((sample) => Math.abs(sample) > 0.1);
  assert.ok(start >= 0, "nothing but silence was recorded");
  const window = recorded.slice(start + RATE_HZ / 2, start + RATE_HZ * 3 / 2);
  assert.equal(window.length, RATE_HZ);
  const tone = measureTone(window);
  assert.ok(Math.abs(tone.frequencyHz - TONE_HZ) < 3, JSON.stringify(tone));
  // The microphone went with its session.
  assert.ok(!(await sound.state()).nodeNames.includes(name));
});

async function microphoneOf(sound: PipewireLab): Promise<string> {
  for (let poll = 0; poll < 200; poll++) {
    const { nodeNames } = await sound.state();
    const name = nodeNames.find((one) => one.startsWith("punktfunk-mic-"));
    if (name !== undefined) return name;
  }
  throw new Error("No microphone appeared");
}
