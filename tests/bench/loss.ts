/**
 * What parity saves of the native plane's video: frames lost by loss of packets and by percentage. A table, the same on
 * every machine.
 *
 *     frames of 1 … 14000 bytes in shards of 512 and blocks of 16, 25 ms of jitter
 *
 * @module
 */
import { runLossTrial } from "../sim/punktfunk1_loss.ts";

const FEC_PERCENTS = [0, 5, 10, 20, 30, 50] as const;
const LOSS_PERCENTS = [0, 1, 2, 5, 10, 20, 30] as const;
const BURST_LENGTHS = [1, 4] as const;
const FRAMES = 300;
const SEED = 20_260_101;

/** Percent of frames lost in one trial. */
function lostFramesPercent(
  lossPercent: number,
  { burstLength, fecPercent }: {
    readonly burstLength: number;
    readonly fecPercent: number | "adaptive";
  },
): number {
  const { lostFrames } = runLossTrial({
    seed: SEED + lossPercent,
    weather: { lossRatio: lossPercent / 100, burstLength, delayMsMin: 1, delayMsMax: 25 },
    fecPercent,
    frameCount: FRAMES,
    frameSizeBytesMax: 14_000,
    // Any code repairs as many losses as it has parity; this one is quicker in TypeScript.
    scheme: "gf256",
  });
  return 100 * lostFrames.length / FRAMES;
}

export function benchLoss(): string {
  const columns = [...FEC_PERCENTS, "adaptive" as const];
  const head = columns.map((percent) => (percent === "adaptive" ? percent : `${percent} %`));
  const cell = (text: string) => text.padStart(10);
  const lines = [
    `Frames lost, percent of ${FRAMES}, by packet loss and parity`,
    `  ${"packets lost".padEnd(24)}${head.map(cell).join("")}`,
  ];
  for (const burstLength of BURST_LENGTHS) {
    for (const lossPercent of LOSS_PERCENTS) {
      if (lossPercent === 0 && burstLength > 1) continue;
      const name = `${lossPercent} %${burstLength > 1 ? ` in runs of ${burstLength}` : ""}`;
      const cells = columns.map((fecPercent) =>
        cell(lostFramesPercent(lossPercent, { burstLength, fecPercent }).toFixed(1))
      );
      lines.push(`  ${name.padEnd(24)}${cells.join("")}`);
    }
  }
  return lines.join("\n");
}

if (import.meta.main) console.log(benchLoss());
