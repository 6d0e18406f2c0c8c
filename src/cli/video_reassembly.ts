/**
 * The receiving half of `spike`: puts one frame together again from the datagrams that arrived, as a client would
 * (GameStream specification 7.2 to 7.6; `video_packetiser.ts` draws the layout). Pure.
 *
 * @module
 */
import { concatBytes, viewOf } from "../lib/bytes.ts";
import { ProtocolError } from "../lib/errors.ts";
import { cauchyCode, reconstruct } from "../protocol/fec/gf256.ts";
import { parityCountOf } from "../protocol/gamestream/video_blocks.ts";
import {
  FRAME_HEADER_SIZE_BYTES,
  VIDEO_HEADER_SIZE_BYTES,
} from "../protocol/gamestream/video_packetiser.ts";

const OFFSET_BLOCK = 27;
const OFFSET_FEC = 28;
/** Bytes that the code takes as zero: the RTP header and the FEC field. */
const UNCOVERED = [[0, 16], [28, 32]] as const;

interface Block {
  readonly dataCount: number;
  readonly parityCount: number;
  readonly shards: (Uint8Array | undefined)[];
}

/**
 * The access unit of a frame whose blocks arrived well enough. Throws ProtocolError "short" when a block cannot be
 * repaired or did not arrive at all, "malformed" when the datagrams contradict each other.
 */
export function reassembleFrame(datagrams: readonly Uint8Array[]): Uint8Array {
  const blocks = new Map<number, Block>();
  let blockCount = 0;
  for (const datagram of datagrams) {
    if (datagram.byteLength <= VIDEO_HEADER_SIZE_BYTES) {
      throw new ProtocolError("short", "Cannot reassemble frame: a datagram holds no payload");
    }
    const view = viewOf(datagram);
    const place = view.getUint8(OFFSET_BLOCK);
    const fec = view.getUint32(OFFSET_FEC, true);
    const index = place >> 4 & 3;
    blockCount = (place >> 6) + 1;
    const block = blocks.get(index) ?? emptyBlock(fec);
    blocks.set(index, block);
    const shard = Uint8Array.from(datagram);
    for (const [from, to] of UNCOVERED) shard.fill(0, from, to);
    block.shards[fec >> 12 & 0x3ff] = shard;
  }
  const payloads: Uint8Array[] = [];
  for (let index = 0; index < blockCount; index++) {
    const block = blocks.get(index);
    if (block === undefined) {
      throw new ProtocolError("short", `Cannot reassemble frame: block ${index} is lost`);
    }
    for (const shard of repair(block)) payloads.push(shard.subarray(VIDEO_HEADER_SIZE_BYTES));
  }
  return unwrap(payloads);
}

function emptyBlock(fec: number): Block {
  const dataCount = fec >>> 22;
  const parityCount = parityCountOf(dataCount, fec >> 4 & 0xff);
  return { dataCount, parityCount, shards: new Array(dataCount + parityCount) };
}

function repair({ dataCount, parityCount, shards }: Block): Uint8Array[] {
  const data = shards.slice(0, dataCount);
  const arrived = data.filter((shard) => shard !== undefined);
  // A block beyond the code's size has no parity, and none to make a matrix for.
  if (arrived.length === dataCount) return arrived;
  if (parityCount === 0) {
    throw new ProtocolError("short", "Cannot reassemble frame: a packet without parity is lost");
  }
  return reconstruct(Array.from(shards), cauchyCode(dataCount, parityCount));
}

function unwrap(payloads: readonly Uint8Array[]): Uint8Array {
  const stream = concatBytes(...payloads);
  const last = payloads.at(-1);
  if (last === undefined || stream.byteLength < FRAME_HEADER_SIZE_BYTES) {
    throw new ProtocolError("short", "Cannot reassemble frame: it has no frame header");
  }
  const lastSizeBytes = viewOf(stream).getUint16(4, true);
  const endBytes = stream.byteLength - last.byteLength + lastSizeBytes;
  if (lastSizeBytes > last.byteLength || endBytes < FRAME_HEADER_SIZE_BYTES) {
    throw new ProtocolError(
      "malformed",
      "Cannot reassemble frame: its last packet's size is wrong",
    );
  }
  return stream.subarray(FRAME_HEADER_SIZE_BYTES, endBytes);
}
