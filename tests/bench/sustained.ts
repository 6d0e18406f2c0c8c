/**
 * Whether the data path keeps a rate: pattern frames from one Worker through packetiser and native kernel, over loopback,
 * to a receiver in another.
 *
 *     deno run -A tests/bench/sustained.ts [SECONDS [MEGABITS [DROP_PERCENT]]]      10 s of 2000 Mbit/s, nothing dropped
 *
 * @module
 */
import { CpuClock } from "./cpu_clock.ts";
import type { ReceiverReport, SenderReport, SustainedPlan } from "./sustained_plan.ts";

const FRAMES_PER_SECOND = 60;

function openWorker(name: string): Worker {
  return new Worker(new URL(`./${name}.ts`, import.meta.url), { type: "module" });
}

/** The next message of `worker`. */
function messageOf<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<T>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
}

export async function benchSustained(options: {
  readonly seconds: number;
  readonly videoKbps: number;
  readonly dropPercent: number;
}): Promise<string> {
  using clock = new CpuClock();
  const { seconds, videoKbps, dropPercent } = options;
  const plan = {
    videoKbps,
    dropPercent,
    framesPerSecond: FRAMES_PER_SECOND,
    frames: Math.round(seconds * FRAMES_PER_SECOND),
  };
  const receiver = openWorker("sustained_receiver");
  const { port } = await messageOf<{ port: number }>(receiver);
  const cpuStartUs = clock.processUs();
  const sender = openWorker("sustained_sender");
  sender.postMessage({ plan, port });
  const sent = await messageOf<SenderReport>(sender);
  // Starting the sender is counted as the receiver's; it is a few per cent of a second.
  const otherCpuUs = clock.processUs() - cpuStartUs - sent.cpuUs;
  receiver.postMessage("end");
  const received = await messageOf<ReceiverReport>(receiver);
  return format(plan, { sent, received, otherCpuUs });
}

function format(plan: SustainedPlan, { sent, received, otherCpuUs }: {
  readonly sent: SenderReport;
  readonly received: ReceiverReport;
  readonly otherCpuUs: number;
}): string {
  const { video, latenciesUs } = received;
  const seconds = sent.durationUs / 1e6;
  const gigabits = (bytes: number) => `${(bytes * 8 / seconds / 1e9).toFixed(3)} Gbit/s`;
  const share = (cpuUs: number) => `${(cpuUs / sent.durationUs * 100).toFixed(0)} %`;
  const latency = (part: number) =>
    ((latenciesUs[Math.floor((latenciesUs.length - 1) * part)] ?? 0) / 1000).toFixed(1);
  const lostPackets = sent.packets - video.packets;
  return [
    `Sustained: ${plan.frames} frames at ${plan.framesPerSecond} Hz in ${seconds.toFixed(2)} s, ` +
    `${plan.videoKbps / 1000} Mbit/s asked for, ${plan.dropPercent} % of packets dropped`,
    `  sent      ${
      gigabits(sent.bytes)
    } in ${sent.packets} packets, ${sent.refusedPackets} refused, ` +
    `latest frame ${(sent.latestUs / 1000).toFixed(1)} ms behind`,
    `  received  ${gigabits(received.bytes)} of frames in ${received.batches} batches; ` +
    `buffer ${(received.bufferBytes / 2 ** 20).toFixed(1)} MiB`,
    `  loss      ${video.lostFrames} frames, ${received.wrongFrames} wrong; ${lostPackets} packets, ` +
    `${received.overflowed} overflows, ${received.forged} forged; ${video.recoveredShards} rebuilt`,
    `  latency   p50 ${latency(0.5)}, p95 ${latency(0.95)}, max ${
      latency(1)
    } ms, capture to delivery`,
    `  CPU       sender ${share(sent.cpuUs)} of a core, receiver ${share(otherCpuUs)}`,
  ].join("\n");
}

if (import.meta.main) {
  const [seconds = 10, megabits = 2000, dropPercent = 0] = Deno.args.map(Number);
  console.log(await benchSustained({ seconds, videoKbps: megabits * 1000, dropPercent }));
}
