/**
 * Every parser under fuzz, and how one is run.
 *
 * A file in targets/ is all it takes to take part. Each input has a seed of its own, so that a failure is repeated with
 *
 *     PUNKTFUNK_FUZZ_SEED=… PUNKTFUNK_FUZZ_ITERATIONS=1 deno test -A tests/fuzz
 *
 * @module
 */
import { toHex } from "../../src/lib/bytes.ts";
import { ProtocolError } from "../../src/lib/errors.ts";
import { mutate } from "./mutate.ts";
import { SeededRandom } from "./seeded_random.ts";
import type { FuzzTarget } from "./target.ts";

const TARGETS_URL = new URL("./targets/", import.meta.url);

/** All targets of all files in targets/, by name. */
export async function loadTargets(): Promise<readonly FuzzTarget[]> {
  const targets: FuzzTarget[] = [];
  for await (const entry of Deno.readDir(TARGETS_URL)) {
    if (!entry.isFile || !entry.name.endsWith(".ts")) continue;
    const module: { readonly TARGETS: readonly FuzzTarget[] } = await import(
      new URL(entry.name, TARGETS_URL).href
    );
    targets.push(...module.TARGETS);
  }
  return targets.sort((a, b) => a.name < b.name ? -1 : 1);
}

export interface FuzzRun {
  /** Seed of the first input; each further one takes the next. */
  readonly seed: number;
  readonly iterations: number;
}

/** A parser threw something other than ProtocolError, or reads nothing at all. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
  constructor(target: FuzzTarget, readonly seed: number, text: string, cause?: unknown) {
    super(
      `${target.name} ${text}; repeat with PUNKTFUNK_FUZZ_SEED=${seed} PUNKTFUNK_FUZZ_ITERATIONS=1`,
      { cause },
    );
  }
}

/** Feed `target` its seeds as they are, then changed ones. Throws FuzzFailure. */
export function fuzz(target: FuzzTarget, { seed, iterations }: FuzzRun): void {
  const readable = target.seeds.filter((bytes) => isReadable(target, bytes, seed));
  // A target that refuses everything at its door tests nothing behind it.
  if (readable.length === 0) throw new FuzzFailure(target, seed, "refuses every seed input");
  for (let iteration = 0; iteration < iterations; iteration++) {
    const inputSeed = (seed + iteration) >>> 0;
    isReadable(target, mutate(target.seeds, new SeededRandom(inputSeed)), inputSeed);
  }
}

/** Whether `target` reads `bytes` without ProtocolError. Throws FuzzFailure for anything else it throws. */
function isReadable(target: FuzzTarget, bytes: Uint8Array, seed: number): boolean {
  try {
    target.run(bytes);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw new FuzzFailure(target, seed, `threw ${error} for ${toHex(bytes)}`, error);
  }
}
