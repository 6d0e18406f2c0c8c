/**
 * The contract of every VideoSource, kept by a virtual display of a real Sway.
 *
 * @module
 */
import { openWlrootsDisplayBackend } from "../../src/display/wlroots.ts";
import type { VirtualDisplay } from "../../src/display/ports.ts";
import { openVideoSource } from "../../src/media/sources/registry.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { testVideoSource } from "../unit/media/contract_video_source.ts";
import { SwayLab } from "./sway_lab.ts";

const MODE = { widthPixels: 1280, heightPixels: 720, refreshMilliHz: 60_000 };

const stack = new AsyncDisposableStack();
let display: VirtualDisplay | undefined;

Deno.test.beforeAll(async () => {
  const lab = stack.use(await SwayLab.start());
  const backend = openWlrootsDisplayBackend({
    environment: lab.environment,
    clock: openSystemClock(),
  });
  display = stack.use(await backend.createDisplay(MODE));
  await lab.startClient(display.name, "moving");
});

Deno.test.afterAll(() => stack.disposeAsync());

testVideoSource({
  name: "WlrootsSource",
  ...MODE,
  open: () => {
    if (display === undefined) throw new Error("no display was made");
    return openVideoSource(display.videoSource);
  },
});
