/**
 * A program for the executable's test: starts the audio pump in its Worker and prints, as JSON, how many packets of sound
 * came and which memory files are mapped as code.
 *
 * @module
 */
import { openSystemClock } from "../../src/platform/system_clock.ts";
import type { AudioPumpSpec } from "../../src/session/pumps/messages.ts";
import { PumpHandle } from "../../src/session/pumps/pump_handle.ts";

const PACKETS_WANTED = 5;

const SPEC: AudioPumpSpec = {
  source: { kind: "synthetic", channels: 2 },
  encoder: {
    channels: 2,
    streams: 1,
    coupledStreams: 1,
    mapping: [0, 1],
    bitrateBps: 96_000,
    frameDurationMs: 5,
  },
  output: { kind: "report" },
};

const enough = Promise.withResolvers<void>();
let packets = 0;
const worker = new Worker(
  new URL("../../src/session/pumps/audio_pump_worker.ts", import.meta.url),
  { type: "module" },
);
const pump = await PumpHandle.start<AudioPumpSpec>(worker, SPEC, {
  clock: openSystemClock(),
  observer: {
    onSound: () => {
      packets++;
      if (packets === PACKETS_WANTED) enough.resolve();
    },
    onFailed: enough.reject,
  },
});
pump.post({ kind: "flow" });
await enough.promise;
const maps = await Deno.readTextFile("/proc/self/maps");
await pump.close();
const mapped = [...new Set([...maps.matchAll(/\br-xp .*\/memfd:(\S+)/g)].map(([, name]) => name))];
console.log(JSON.stringify({ packets: PACKETS_WANTED, mapped: mapped.sort() }));
