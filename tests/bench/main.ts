/**
 * All benchmarks, one after another.
 *
 *     deno task bench [NAME…]      names: wire, media, program
 *
 * @module
 */
import { type BenchRow, formatRows } from "./bench.ts";
import { benchMedia } from "./media.ts";
import { benchProgram } from "./program.ts";
import { benchWire } from "./wire.ts";

const BENCHES: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  wire: benchWire,
  media: benchMedia,
  program: benchProgram,
};

for (const [name, bench] of Object.entries(BENCHES)) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  console.log(`${formatRows(await bench())}\n`);
}
