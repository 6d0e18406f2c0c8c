/**
 * A block of which some shards were lost, whatever code made its parity.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";

export interface BlockShape {
  readonly dataCount: number;
  readonly parityCount: number;
}

export interface ReceivedBlock {
  /** Of every shard that arrived. */
  readonly sizeBytes: number;
  /** Indices of the data shards that are missing, ascending. */
  readonly lost: readonly number[];
}

/**
 * What is known of a block. `shards` holds data then parity, undefined where lost; more than the block has are not read.
 * Throws ProtocolError "short" when fewer than dataCount arrived, "malformed" when their sizes differ.
 */
export function surveyBlock(
  shards: readonly (Uint8Array | undefined)[],
  { dataCount, parityCount }: BlockShape,
): ReceivedBlock {
  const arrived = shards.slice(0, dataCount + parityCount).filter((shard) => shard !== undefined);
  if (arrived.length < dataCount) {
    throw new ProtocolError(
      "short",
      `Cannot reconstruct block: ${arrived.length} shards arrived, ${dataCount} are needed`,
    );
  }
  const sizeBytes = arrived[0]?.byteLength ?? 0;
  if (arrived.some((shard) => shard.byteLength !== sizeBytes)) {
    throw new ProtocolError("malformed", "Cannot reconstruct block: shards differ in size");
  }
  const lost: number[] = [];
  for (let index = 0; index < dataCount; index++) {
    if (shards[index] === undefined) lost.push(index);
  }
  return { sizeBytes, lost };
}

/** The data shards: those that arrived as they are, and in the place of `lost[i]` `found[i]`. */
export function mergeFound(
  shards: readonly (Uint8Array | undefined)[],
  lost: readonly number[],
  { dataCount, found }: { readonly dataCount: number; readonly found: readonly Uint8Array[] },
): Uint8Array[] {
  return Array.from({ length: dataCount }, (_, index) => {
    const shard = shards[index] ?? found[lost.indexOf(index)];
    if (shard === undefined) throw new RangeError(`Cannot reconstruct shard ${index}`);
    return shard;
  });
}
