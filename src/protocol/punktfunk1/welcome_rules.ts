/**
 * What a Welcome must keep to, or its client ends the session (punktfunk/1 specification 2.3).
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import {
  checkFecTerms,
  dataShardsOf,
  FRAME_BLOCKS_MAX,
  frameBytesMaxOf,
  isShardPayload,
} from "./fec_plan.ts";
import type { Welcome } from "./welcome.ts";

/** Throws ProtocolError for a Welcome that no client would accept: "limit" for its numbers, "malformed" for its key. */
export function validateWelcome(welcome: Welcome): void {
  const { shardPayloadBytes, dataShardsMax, fecScheme, fecPercent } = welcome;
  if (!isShardPayload(shardPayloadBytes)) {
    throw new ProtocolError("limit", `Cannot accept Welcome: shards of ${shardPayloadBytes} bytes`);
  }
  checkFecTerms({ scheme: fecScheme, percent: fecPercent, blockDataShardsMax: dataShardsMax });
  const frameBytesMax = frameBytesMaxOf(welcome.bitrateKbps, welcome.mode.refreshHz);
  const blocks = Math.ceil(dataShardsOf(frameBytesMax, shardPayloadBytes) / dataShardsMax);
  if (blocks > FRAME_BLOCKS_MAX) {
    throw new ProtocolError("limit", `Cannot accept Welcome: frames of ${blocks} blocks`);
  }
  const key = welcome.chaChaKey ?? welcome.key;
  if (welcome.isEncrypted && key.every((byte) => byte === 0)) {
    throw new ProtocolError("malformed", "Cannot accept Welcome: the key is all zeros");
  }
}
