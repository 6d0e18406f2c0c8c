/**
 * Worker entry of the video pump: opens its parts from the spec and lets it run.
 *
 * @module
 */
import { openVideoEncoder } from "../../media/encoders/registry.ts";
import { openVideoSource } from "../../media/sources/registry.ts";
import { openNativeKernel } from "../../media/wire/native_kernel.ts";
import type { VideoPumpSpec } from "./messages.ts";
import { openVideoPacketiser } from "./packetisers.ts";
import { VideoPump } from "./video_pump.ts";
import { servePump, type WorkerScope } from "./worker_port.ts";

servePump<VideoPumpSpec>(self as unknown as WorkerScope, async (spec, { stack, clock, report }) => {
  const kernel = stack.use(openNativeKernel({ dropPercent: spec.dropPercent ?? 0 }));
  const encoder = stack.use(await openVideoEncoder(spec.encoder));
  const source = stack.use(await openVideoSource(spec.source));
  const { packetiser, tuning, startProbe } = await openVideoPacketiser(spec.packetiser);
  const { socket, pacing } = spec;
  const pump = new VideoPump({
    source,
    encoder,
    packetiser,
    tuning,
    startProbe,
    kernel,
    socket,
    pacing,
    clock,
    isHeldBack: spec.isHeldBack,
    recoveryMs: spec.recoveryMs,
    unitsMax: spec.unitsMax,
    onProbed: (totals) => report({ kind: "probed", totals }),
    onUnit: spec.isReportingUnits ? (unit) => report({ kind: "unit", unit }) : undefined,
  });
  return {
    description: `${source.description} → ${encoder.description} → ${kernel.description}`,
    pump: {
      get stats() {
        return pump.stats;
      },
      stop: () => pump.stop(),
      run: (onFirstPacket) => pump.run(onFirstPacket),
      command: (command) => pump.command(command),
    },
  };
});
