import assert from "node:assert/strict";
import { ProtocolError } from "../../src/lib/errors.ts";
import { fuzz, FuzzFailure, loadTargets } from "./registry.ts";
import { mutate } from "./mutate.ts";
import { SeededRandom } from "./seeded_random.ts";
import type { FuzzTarget } from "./target.ts";

const ITERATIONS_SMOKE = 3_000;

/** A number from the environment, or `otherwise`. A wrong one is an error: a run must be what was asked for. */
function numberFrom(name: string, otherwise: () => number): number {
  const text = Deno.env.get(name);
  if (text === undefined) return otherwise();
  const value = Number(text);
  assert.ok(text !== "" && Number.isInteger(value) && value >= 0, `${name}=${text} is no number`);
  return value;
}

const RUN = {
  seed: numberFrom(
    "PUNKTFUNK_FUZZ_SEED",
    () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
  ),
  iterations: numberFrom("PUNKTFUNK_FUZZ_ITERATIONS", () => ITERATIONS_SMOKE),
};

const targets = await loadTargets();

for (const target of targets) {
  Deno.test(`fuzz: ${target.name} throws only ProtocolError`, () => fuzz(target, RUN));
}

/** A parser with the fault that the harness must find: it trusts a length byte. */
const CANARY: FuzzTarget = {
  name: "canary",
  seeds: [new Uint8Array([2, 0xaa, 0xbb])],
  run(bytes) {
    const [length = 0] = bytes;
    if (bytes.byteLength === 0) throw new ProtocolError("short", "Cannot decode canary: empty");
    if (bytes.byteLength < 1 + length) throw new RangeError("Cannot read past the end");
  },
};

Deno.test("fuzz() finds the canary's fault and names the seed that shows it again", () => {
  let failure: unknown;
  try {
    fuzz(CANARY, { seed: 1, iterations: ITERATIONS_SMOKE });
  } catch (error) {
    failure = error;
  }
  assert.ok(failure instanceof FuzzFailure);
  assert.ok(failure.message.includes(`PUNKTFUNK_FUZZ_SEED=${failure.seed}`));
  assert.throws(() => fuzz(CANARY, { seed: failure.seed, iterations: 1 }), FuzzFailure);
});

Deno.test("fuzz() refuses a target that reads none of its seed inputs", () => {
  const target = { ...CANARY, seeds: [new Uint8Array(0)] };
  assert.throws(() => fuzz(target, { seed: 1, iterations: 0 }), FuzzFailure);
});

Deno.test("loadTargets() finds targets, each with a name of its own and something to mutate", () => {
  const names = targets.map((target) => target.name);
  assert.ok(names.includes("enet-command"));
  assert.deepEqual([...new Set(names)], names);
  for (const target of targets) assert.ok(target.seeds.length > 0, target.name);
});

Deno.test("mutate() gives the same bytes for the same seed and others for another", () => {
  const seeds = [new Uint8Array(40).fill(7), new Uint8Array(3).fill(9)];
  const inputs = (seed: number) =>
    Array.from({ length: 50 }, (_, index) => mutate(seeds, new SeededRandom(seed + index)));
  assert.deepEqual(inputs(1), inputs(1));
  assert.notDeepEqual(inputs(1), inputs(1000));
  assert.deepEqual(seeds[0], new Uint8Array(40).fill(7));
});
