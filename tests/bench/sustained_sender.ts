/**
 * Worker of `sustained.ts`: sends pattern frames, each at its time, through packetiser and native kernel.
 *
 * @module
 */
import { UdpSocket } from "../../ffi/wire.ts";
import { fillPattern } from "../../src/media/encoders/pattern.ts";
import { openNativeKernel } from "../../src/media/wire/native_kernel.ts";
import { pacingOf } from "../../src/protocol/punktfunk1/pacing_profile.ts";
import { VideoPacketiser } from "../../src/protocol/punktfunk1/video_packetiser.ts";
import { SealCounter } from "../../src/protocol/punktfunk1/video_seal.ts";
import { CpuClock } from "./cpu_clock.ts";
import {
  FRAME_BYTES_MAX,
  SECRETS,
  type SenderReport,
  SHARD_PAYLOAD_BYTES,
  SOCKET_ADDRESS,
  type SustainedPlan,
  TERMS,
} from "./sustained_plan.ts";

async function send(plan: SustainedPlan, port: number): Promise<SenderReport> {
  using clock = new CpuClock();
  await using socket = UdpSocket.open({ address: SOCKET_ADDRESS, port: 0 });
  using kernel = openNativeKernel(plan);
  const packetiser = new VideoPacketiser({
    terms: TERMS,
    shardPayloadBytes: SHARD_PAYLOAD_BYTES,
    shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
    frameBytesMax: FRAME_BYTES_MAX,
    seal: { secrets: SECRETS, counter: new SealCounter() },
    wallOffsetNs: 0n,
  });
  const options = {
    socket: socket.handle,
    destination: { address: SOCKET_ADDRESS, port },
    pacing: pacingOf("burst", { wireKbps: plan.videoKbps * (1 + TERMS.percent / 100) }),
  };
  const intervalUs = 1e6 / plan.framesPerSecond;
  const unit = new Uint8Array(Math.round(plan.videoKbps * 125 / plan.framesPerSecond));
  const totals = { packets: 0, bytes: 0, refusedPackets: 0, latestUs: 0 };
  const cpuStartUs = clock.threadUs();
  const startUs = clock.monotonicUs();
  for (let frame = 0; frame < plan.frames; frame++) {
    const dueUs = startUs + frame * intervalUs;
    const earlyUs = dueUs - clock.monotonicUs();
    if (earlyUs > 0) await new Promise((resolve) => setTimeout(resolve, earlyUs / 1000));
    const nowUs = clock.monotonicUs();
    totals.latestUs = Math.max(totals.latestUs, nowUs - dueUs);
    fillPattern(unit, packetiser.nextFrameIndex);
    const job = packetiser.plan({
      sizeBytes: unit.byteLength,
      kind: "p",
      capturedAtUs: nowUs,
      nowUs,
    });
    const result = kernel.send(job, unit, options);
    totals.packets += result.packetCount;
    totals.bytes += result.bytes;
    totals.refusedPackets += result.refusedPackets;
  }
  const durationUs = clock.monotonicUs() - startUs;
  return { ...totals, durationUs, cpuUs: clock.threadUs() - cpuStartUs };
}

self.onmessage = async (event: MessageEvent<{ plan: SustainedPlan; port: number }>) => {
  self.postMessage(await send(event.data.plan, event.data.port));
  self.close();
};
