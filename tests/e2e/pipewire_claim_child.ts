/**
 * A host that claims the sound and is killed: prints the sink's name, then waits.
 *
 *     deno run -A pipewire_claim_child.ts SOCKET STATE_DIRECTORY
 *
 * @module
 */
import { createPipewireAudio } from "../../src/audio/pipewire.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";

const [socketPath = "", stateDirectory = ""] = Deno.args;
const backend = createPipewireAudio({ socketPath, stateDirectory, clock: openSystemClock() });
const claim = await backend.claim({ channels: 2, isHeardOnHost: true });
if (claim.source.kind !== "pipewire") throw new Error("The claim is not PipeWire's");
console.log(claim.source.sinkName);
// The claim's timer keeps the program alive.
