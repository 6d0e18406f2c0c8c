/**
 * All benchmarks, one after another.
 *
 *     deno task bench [NAME…]      names: wire, media, fetch, receive, sustained, program, loss, rate, executable
 *
 * @module
 */
import { type BenchRow, formatRows } from "./bench.ts";
import { benchExecutable } from "./executable.ts";
import { benchFetch } from "./fetch.ts";
import { benchLoss } from "./loss.ts";
import { benchMedia } from "./media.ts";
import { benchProgram } from "./program.ts";
import { benchRate } from "./rate.ts";
import { benchReceive } from "./receive.ts";
import { benchSustained } from "./sustained.ts";
import { benchWire } from "./wire.ts";

const BENCHES: Readonly<Record<string, () => Promise<BenchRow[] | string> | string>> = {
  wire: benchWire,
  media: benchMedia,
  fetch: benchFetch,
  receive: benchReceive,
  // Shortly; by itself it runs as long as it is told to.
  sustained: () => benchSustained({ seconds: 2, videoKbps: 2_000_000, dropPercent: 0 }),
  program: benchProgram,
  loss: benchLoss,
  rate: benchRate,
  executable: benchExecutable,
};

for (const [name, bench] of Object.entries(BENCHES)) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  const result = await bench();
  console.log(`${typeof result === "string" ? result : formatRows(result)}\n`);
}
