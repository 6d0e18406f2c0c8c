/**
 * Times variants of the same work side by side in one process, so that their ratio means something on a busy machine.
 *
 * A bench file exports `benchX(): Promise<BenchRow[]>`; `main.ts` runs them all and prints `formatRows`.
 *
 * @module
 */

export interface BenchRow {
  /** Rows of one group did the same work. */
  readonly group: string;
  readonly name: string;
  readonly p50Us: number;
  /** Null for a row that is the difference of two others. */
  readonly p99Us: number | null;
  /** Of the bytes that the work is about. */
  readonly gigabytesPerSecond: number | null;
  /** Absent where the work is not about packets. */
  readonly packetsPerSecond?: number;
  /** p50 of this row by p50 of the group's first. */
  readonly ratio: number;
}

export interface BenchVariant {
  readonly name: string;
  /** Runs before each `run` and is not timed. */
  setUp?(): void;
  run(): void | Promise<void>;
  /** Runs after each `run` and is not timed. */
  cleanUp?(): Promise<void>;
}

export interface BenchOptions {
  readonly rounds: number;
  /** Bytes one `run` works on; undefined gives no rate. */
  readonly bytes?: number;
  /** Packets one `run` works on. */
  readonly packets?: number;
}

const WARM_UP_ROUNDS = 3;

/** Microseconds of one run. One before it, not timed, makes caches the variant's own and not its predecessor's. */
async function time(variant: BenchVariant): Promise<number> {
  let tookUs = 0;
  for (let turn = 0; turn < 2; turn++) {
    variant.setUp?.();
    const from = performance.now();
    const running = variant.run();
    if (running !== undefined) await running;
    tookUs = (performance.now() - from) * 1000;
    await variant.cleanUp?.();
  }
  return tookUs;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Run every variant once a round, so that whatever slows the machine slows all of them. */
export async function runBench(
  group: string,
  variants: readonly BenchVariant[],
  options: BenchOptions,
): Promise<BenchRow[]> {
  const samples = variants.map((): number[] => []);
  for (let round = 0; round < WARM_UP_ROUNDS + options.rounds; round++) {
    for (const [index, variant] of variants.entries()) {
      const tookUs = await time(variant);
      if (round >= WARM_UP_ROUNDS) samples[index]?.push(tookUs);
    }
  }
  const sorted = samples.map((list) => list.sort((a, b) => a - b));
  const firstUs = percentile(sorted[0] ?? [], 0.5);
  return variants.map(({ name }, index) => {
    const list = sorted[index] ?? [];
    const p50Us = percentile(list, 0.5);
    return {
      group,
      name,
      p50Us,
      p99Us: percentile(list, 0.99),
      gigabytesPerSecond: options.bytes === undefined ? null : options.bytes / p50Us / 1000,
      ...(options.packets === undefined ? {} : { packetsPerSecond: options.packets / p50Us * 1e6 }),
      ratio: p50Us / firstUs,
    };
  });
}

/** A table for people, one line a row, groups apart. */
export function formatRows(rows: readonly BenchRow[]): string {
  const lines: string[] = [];
  const nameWidth = Math.max(...rows.map((row) => row.name.length), 0);
  let group = "";
  for (const row of rows) {
    if (row.group !== group) {
      group = row.group;
      lines.push(
        "",
        group,
        `  ${"".padEnd(nameWidth)}    p50 µs    p99 µs      GB/s    pkt/s    ratio`,
      );
    }
    const cells = [
      row.p50Us.toFixed(1),
      row.p99Us?.toFixed(1) ?? "",
      row.gigabytesPerSecond?.toFixed(2) ?? "",
    ];
    const rate = row.packetsPerSecond;
    const packets = (rate === undefined ? "" : `${Math.round(rate / 1000)} k`).padStart(9);
    const ratio = row.ratio.toFixed(row.ratio < 10 ? 2 : 0);
    lines.push(
      `  ${row.name.padEnd(nameWidth)}${cells.map((cell) => cell.padStart(10)).join("")}` +
        packets + ratio.padStart(9),
    );
  }
  return lines.join("\n").trimStart();
}
