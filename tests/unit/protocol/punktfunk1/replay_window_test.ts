import assert from "node:assert/strict";
import fc from "fast-check";
import {
  REPLAY_WINDOW_SIZE,
  ReplayWindow,
} from "../../../../src/protocol/punktfunk1/replay_window.ts";

const halves = (sequence: bigint): [high: number, low: number] => [
  Number(sequence >> 32n),
  Number(sequence & 0xffff_ffffn),
];

function take(window: ReplayWindow, sequence: bigint): boolean {
  const [high, low] = halves(sequence);
  const isFresh = window.isFresh(high, low);
  if (isFresh) window.add(high, low);
  return isFresh;
}

Deno.test("ReplayWindow takes every number once, in any order within its size", () => {
  const size = BigInt(REPLAY_WINDOW_SIZE);
  for (const first of [0n, 5n, (1n << 32n) - 3n, 0x0102030405060708n, (1n << 64n) - 2n * size]) {
    const window = new ReplayWindow();
    const steps: [bigint, boolean][] = [
      [0n, true],
      [0n, false],
      [3n, true],
      [1n, true],
      [1n, false],
      [2n, true],
      [3n, false],
      [size + 2n, true],
      [3n, false],
      [2n, false],
      [4n, true],
      [size + 1n, true],
      [size + 1n, false],
      [2n * size - 1n, true],
      [size - 1n, false],
      [size, true],
    ];
    for (const [step, isFresh] of steps) {
      assert.equal(take(window, first + step), isFresh, `${first} + ${step}`);
    }
  }
});

Deno.test("ReplayWindow forgets nothing that a jump shorter than its size leaves behind", () => {
  const window = new ReplayWindow();
  const size = BigInt(REPLAY_WINDOW_SIZE);
  take(window, 10n);
  take(window, 10n + size - 1n);
  assert.equal(take(window, 10n), false);
  assert.equal(take(window, 11n), true);
  take(window, 10n + 3n * size);
  assert.equal(take(window, 10n + 3n * size), false);
  assert.equal(take(window, 10n + 2n * size + 1n), true);
  assert.equal(take(window, 10n + 2n * size), false);
});

Deno.test("ReplayWindow does not remember a number that was only asked for", () => {
  const window = new ReplayWindow();
  assert.equal(window.isFresh(0, 9), true);
  assert.equal(window.isFresh(0, 9), true);
  assert.equal(window.isFresh(0xffff_ffff, 0), true);
  assert.equal(take(window, 0n), true);
});

Deno.test("ReplayWindow agrees with a set of everything seen", () => {
  const step = fc.oneof(
    fc.integer({ min: -40, max: 40 }),
    fc.integer({ min: -REPLAY_WINDOW_SIZE - 2, max: REPLAY_WINDOW_SIZE + 2 }),
  );
  fc.assert(fc.property(
    fc.bigInt({ min: 0n, max: 1n << 40n }),
    fc.array(step, { maxLength: 60 }),
    (first, steps) => {
      const window = new ReplayWindow();
      const seen = new Set<bigint>();
      let top = -1n;
      let at = first;
      for (const step of steps) {
        at += BigInt(step);
        if (at < 0n) at = 0n;
        const isExpected = at > top || (top - at < BigInt(REPLAY_WINDOW_SIZE) && !seen.has(at));
        assert.equal(take(window, at), isExpected);
        seen.add(at);
        if (at > top) top = at;
      }
    },
  ));
});
