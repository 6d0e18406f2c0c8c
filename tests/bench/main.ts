/**
 * All benchmarks, one after another.
 *
 *     deno task bench [NAME…]      names: wire, media, receive, program, loss, executable
 *
 * @module
 */
import { type BenchRow, formatRows } from "./bench.ts";
import { benchExecutable } from "./executable.ts";
import { benchLoss } from "./loss.ts";
import { benchMedia } from "./media.ts";
import { benchProgram } from "./program.ts";
import { benchReceive } from "./receive.ts";
import { benchWire } from "./wire.ts";

const BENCHES: Readonly<Record<string, () => Promise<BenchRow[]> | string>> = {
  wire: benchWire,
  media: benchMedia,
  receive: benchReceive,
  program: benchProgram,
  loss: benchLoss,
  executable: benchExecutable,
};

for (const [name, bench] of Object.entries(BENCHES)) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  const result = await bench();
  console.log(`${typeof result === "string" ? result : formatRows(result)}\n`);
}
