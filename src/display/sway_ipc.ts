/**
 * A client of Sway's IPC: one connection for each request, so that nothing is held between sessions.
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { OperationError, ProtocolError } from "../lib/errors.ts";
import {
  decodeCommandResults,
  decodeIpcHeader,
  decodeOutputs,
  decodeVersion,
  encodeIpcMessage,
  IPC_GET_OUTPUTS,
  IPC_GET_VERSION,
  IPC_HEADER_SIZE_BYTES,
  IPC_RUN_COMMAND,
  type IpcRequestType,
  type SwayOutput,
  type SwayVersion,
} from "./sway_ipc_codec.ts";

/** Sway answers within 15 ms; one that needs longer than this hangs. */
const ANSWER_TIMEOUT_MS = 1500;

/** Sway refused a command; the message ends with its own words. */
export class SwayRefusal extends OperationError {
  constructor(command: string, readonly words: string) {
    super("failed", `Cannot run "${command}" in Sway: ${words}`);
  }
}

export class SwayIpc {
  readonly socketPath: string;
  readonly #clock: Clock;

  constructor(socketPath: string, clock: Clock) {
    this.socketPath = socketPath;
    this.#clock = clock;
  }

  async version(): Promise<SwayVersion> {
    return decodeVersion(await this.#exchange(IPC_GET_VERSION, ""));
  }

  async outputs(): Promise<readonly SwayOutput[]> {
    return decodeOutputs(await this.#exchange(IPC_GET_OUTPUTS, ""));
  }

  /** Run one command. Throws {@link SwayRefusal} when Sway does not do it. */
  async command(text: string): Promise<void> {
    const results = decodeCommandResults(await this.#exchange(IPC_RUN_COMMAND, text));
    const refused = results.find(({ isDone }) => !isDone);
    if (refused !== undefined) throw new SwayRefusal(text, refused.error ?? "no reason given");
  }

  /** Throws OperationError "missing-compositor" when nobody listens, "unavailable" when the answer fails. */
  async #exchange(type: IpcRequestType, payload: string): Promise<Uint8Array> {
    let connection: Deno.UnixConn;
    try {
      connection = await Deno.connect({ transport: "unix", path: this.socketPath });
    } catch (cause) {
      throw new OperationError(
        "missing-compositor",
        `Cannot reach Sway: nobody listens at ${this.socketPath}`,
        { remedy: "Start Sway, or set SWAYSOCK to its socket", cause },
      );
    }
    // Closing is what ends a read or write that waits.
    const timer = this.#clock.after(ANSWER_TIMEOUT_MS, () => closeQuietly(connection));
    try {
      await writeAll(connection, encodeIpcMessage(type, payload));
      const header = decodeIpcHeader(await readExactly(connection, IPC_HEADER_SIZE_BYTES));
      if (header.type !== type) {
        throw new ProtocolError("unknown-type", `Cannot use IPC reply: type ${header.type}`);
      }
      return await readExactly(connection, header.payloadSizeBytes);
    } catch (cause) {
      const reason = cause instanceof ProtocolError ? cause.message : "it does not answer";
      throw new OperationError(
        "unavailable",
        `Cannot talk to Sway at ${this.socketPath}: ${reason}`,
        {
          cause,
        },
      );
    } finally {
      timer.cancel();
      closeQuietly(connection);
    }
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed by the timer already.
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength;) {
    offset += await connection.write(bytes.subarray(offset));
  }
}

async function readExactly(connection: Deno.Conn, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  for (let offset = 0; offset < sizeBytes;) {
    const count = await connection.read(bytes.subarray(offset));
    if (count === null) {
      throw new ProtocolError(
        "short",
        `Cannot read IPC reply: ${offset} of ${sizeBytes} bytes came`,
      );
    }
    offset += count;
  }
  return bytes;
}
