/**
 * Fills datagrams with commands (GameStream specification 5.1, 5.6).
 *
 * @module
 */
import {
  commandSizeBytes,
  encodeCommand,
  encodeHeader,
  type EnetCommand,
  HEADER_BYTES_MAX,
} from "./datagram.ts";
import { DATAGRAM_COMMANDS_MAX } from "./limits.ts";

export interface PackOptions {
  /** Id and session that the receiver knows itself by. */
  readonly peerId: number;
  readonly sessionId: number;
  /** Low 16 bits of the own clock in milliseconds. */
  readonly sentTime: number;
  /** Stamp also what asks for no acknowledgement. */
  readonly isAlwaysStamped: boolean;
  readonly mtuBytes: number;
}

/** Put `commands`, in order, into as few datagrams as the MTU allows; a DISCONNECT gets one of its own. */
export function packDatagrams(
  commands: readonly EnetCommand[],
  options: PackOptions,
): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let batch: EnetCommand[] = [];
  let batchBytes = HEADER_BYTES_MAX;
  const flush = () => {
    if (batch.length > 0) datagrams.push(packOne(batch, batchBytes, options));
    batch = [];
    batchBytes = HEADER_BYTES_MAX;
  };
  for (const command of commands) {
    const sizeBytes = commandSizeBytes(command);
    const isAlone = command.kind === "disconnect";
    if (
      isAlone || batch.length === DATAGRAM_COMMANDS_MAX || batchBytes + sizeBytes > options.mtuBytes
    ) {
      flush();
    }
    batch.push(command);
    batchBytes += sizeBytes;
    if (isAlone) flush();
  }
  flush();
  return datagrams;
}

function packOne(
  commands: readonly EnetCommand[],
  sizeBytesMax: number,
  options: PackOptions,
): Uint8Array {
  const target = new Uint8Array(sizeBytesMax);
  const isStamped = options.isAlwaysStamped || commands.some((command) => command.isReliable);
  let offset = encodeHeader({
    peerId: options.peerId,
    sessionId: options.sessionId,
    sentTime: isStamped ? options.sentTime : undefined,
  }, target);
  for (const command of commands) offset = encodeCommand(command, target, offset);
  return target.subarray(0, offset);
}
