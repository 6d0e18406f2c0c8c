/**
 * What this process holds of the machine, to be compared before and after something was opened and closed.
 *
 * @module
 */
import assert from "node:assert/strict";

const ROUNDS = 50;

function usage() {
  const status = Deno.readTextFileSync("/proc/self/status");
  return {
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length,
    threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1]),
    rssBytes: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024,
  };
}

/** Run `openAndClose` 50 times; fails when descriptors, threads or more than `rssBytesMax` of memory are left. */
export async function assertLeavesNothing(
  openAndClose: () => Promise<void>,
  rssBytesMax: number,
): Promise<void> {
  for (let warmUp = 0; warmUp < 5; warmUp++) await openAndClose();
  const before = usage();
  for (let round = 0; round < ROUNDS; round++) await openAndClose();
  const after = usage();
  assert.equal(after.descriptors, before.descriptors, "descriptors");
  assert.ok(after.threads <= before.threads, `threads: ${before.threads}, then ${after.threads}`);
  const growthBytes = after.rssBytes - before.rssBytes;
  assert.ok(growthBytes < rssBytesMax, `memory grew by ${growthBytes} bytes`);
}
