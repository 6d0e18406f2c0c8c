/**
 * Worker entry of the audio pump: opens its parts from the spec and lets it run.
 *
 * @module
 */
import { openAudioEncoder } from "../../media/encoders/registry.ts";
import { openAudioSource } from "../../media/sources/registry.ts";
import { openNativePacketStream } from "../../media/wire/native_kernel.ts";
import { AudioPump } from "./audio_pump.ts";
import { ReportOutput, SocketOutput } from "./audio_outputs.ts";
import type { AudioOutputSpec, AudioPumpSpec } from "./messages.ts";
import { openAudioPacketiser } from "./packetisers.ts";
import { servePump, type WorkerScope } from "./worker_port.ts";

servePump<AudioPumpSpec>(self as unknown as WorkerScope, async (spec, { stack, clock, report }) => {
  const socketOutput = spec.output.kind === "socket"
    ? await openSocket(spec.output, stack)
    : undefined;
  const output = socketOutput ??
    new ReportOutput((packet) => report({ kind: "sound", packet }));
  const encoder = stack.use(await openAudioEncoder(spec.encoder));
  const source = stack.use(await openAudioSource(spec.source));
  const { frameDurationMs } = spec.encoder;
  const pump = new AudioPump({ source, encoder, output, frameDurationMs, clock });
  return {
    description: source.description,
    pump: {
      get stats() {
        return pump.stats;
      },
      stop: () => pump.stop(),
      run: (onFirstPacket) => pump.run(onFirstPacket),
      command(command) {
        if (command.kind === "destination") socketOutput?.setDestination(command.destination);
        if (command.kind === "destination" || command.kind === "flow") pump.flow();
      },
    },
  };
});

async function openSocket(
  spec: Extract<AudioOutputSpec, { kind: "socket" }>,
  stack: DisposableStack,
): Promise<SocketOutput> {
  const packetiser = await openAudioPacketiser(spec.packetiser);
  const stream = stack.use(openNativePacketStream(packetiser.streamSpec));
  return new SocketOutput({ packetiser, stream, socket: spec.socket });
}
