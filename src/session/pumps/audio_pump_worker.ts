/**
 * Worker entry of the audio pump: opens its parts from the spec and lets it run.
 *
 * @module
 */
import { openAudioEncoder } from "../../media/encoders/registry.ts";
import { openAudioSource } from "../../media/sources/registry.ts";
import { openNativePacketStream } from "../../media/wire/native_kernel.ts";
import { AudioPump } from "./audio_pump.ts";
import type { AudioPumpSpec } from "./messages.ts";
import { openAudioPacketiser } from "./packetisers.ts";
import { servePump, type WorkerScope } from "./worker_port.ts";

servePump<AudioPumpSpec>(self as unknown as WorkerScope, async (spec, stack, clock) => {
  const packetiser = await openAudioPacketiser(spec.packetiser);
  const stream = stack.use(openNativePacketStream(packetiser.streamSpec));
  const encoder = stack.use(await openAudioEncoder(spec.encoder));
  const source = stack.use(await openAudioSource(spec.source));
  const pump = new AudioPump({
    source,
    encoder,
    packetiser,
    stream,
    socket: spec.socket,
    frameDurationMs: spec.encoder.frameDurationMs,
    clock,
  });
  return {
    description: source.description,
    pump: {
      get stats() {
        return pump.stats;
      },
      stop: () => pump.stop(),
      run: (onFirstPacket) => pump.run(onFirstPacket),
      command(command) {
        if (command.kind === "destination") pump.setDestination(command.destination);
      },
    },
  };
});
