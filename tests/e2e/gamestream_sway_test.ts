/**
 * A whole host on a real headless Sway: what the desktop shows reaches the client, what the client does reaches the
 * desktop, and nothing of a stream is left when it is over.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as input from "../client/input_packets.ts";
import { openHostLab } from "./host_lab.ts";
import { type LabEvent, SwayLab } from "./sway_lab.ts";

const VK_A = 0x41;
const VK_LEFT_CTRL = 0xa2;
const EVDEV_A = 30;
const EVDEV_LEFT_CTRL = 29;

async function outputNames(sway: SwayLab): Promise<string[]> {
  return (await sway.ipc.outputs()).map((output) => output.name);
}

Deno.test("The host streams a Sway desktop, a moving and a still one, at the client's own size", async () => {
  await using sway = await SwayLab.start();
  await using host = await openHostLab({ source: "wlroots" }, sway.environment);
  await using client = await host.pairedClient();
  const stream = await client.launch({ widthPixels: 1024, heightPixels: 600 });
  const first = await stream.waitForFrame(() => true);
  assert.equal(first.isKey, true);
  // Nothing moves yet: the picture is repeated all the same.
  await stream.waitForFrames(3);
  const [own, made] = await outputNames(sway);
  assert.ok(own !== undefined && made !== undefined);
  await sway.startClient(made, "moving");
  await stream.waitForFrames(60);
  assert.deepEqual(stream.video.violations, []);
  assert.equal(stream.video.stats.lostFrames, 0);
});

Deno.test("What a client presses reaches the desktop, and nothing stays pressed when it vanishes", async () => {
  await using sway = await SwayLab.start();
  await using host = await openHostLab({ source: "wlroots" }, sway.environment);
  await using client = await host.pairedClient();
  const stream = await client.launch();
  await stream.waitForIdr();
  const made = (await outputNames(sway)).at(-1) ?? "";
  const program = await sway.startClient(made, "still");
  const hasFocus = ({ event }: LabEvent) => event === "keyboard-enter";
  if (!program.events.some(hasFocus)) await program.until(hasFocus);
  stream.send(input.key(VK_A, { isDown: true }));
  stream.send(input.key(VK_A, { isDown: false }));
  stream.send(input.key(VK_LEFT_CTRL, { isDown: true }));
  await program.until(({ event, code, isDown }) =>
    event === "key" && code === EVDEV_A && isDown === true
  );
  await program.until(({ event, code, isDown }) =>
    event === "key" && code === EVDEV_LEFT_CTRL && isDown === true
  );
  await stream.kill();
  // The client that comes back ends the stream of the one that vanished.
  const again = await client.resume();
  await program.until(({ event, code, isDown }) =>
    event === "key" && code === EVDEV_LEFT_CTRL && isDown === false
  );
  await again.waitForIdr();
});

Deno.test("Streams leave no output behind on a Sway that cannot remove one", async () => {
  await using sway = await SwayLab.start();
  await using host = await openHostLab({ source: "wlroots" }, sway.environment);
  await using client = await host.pairedClient();
  await (await client.launch()).waitForIdr();
  const names = await outputNames(sway);
  for (let round = 0; round < 5; round++) {
    const stream = await client.resume({ widthPixels: 800 + 2 * round, heightPixels: 600 });
    await stream.waitForIdr();
    assert.deepEqual(await outputNames(sway), names);
  }
});
