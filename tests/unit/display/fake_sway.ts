/**
 * Sway's IPC as far as virtual outputs need it, with the faults of real ones on request.
 *
 * @module
 */
import { decodeIpcHeader, IPC_HEADER_SIZE_BYTES } from "../../../src/display/sway_ipc_codec.ts";

export interface FakeOutput {
  name: string;
  active: boolean;
  focused: boolean;
  rect: { x: number; y: number; width: number; height: number };
  current_mode?: { width: number; height: number; refresh: number };
}

export interface FakeFaults {
  /** Cannot remove outputs, as version 1.7. */
  isOld?: boolean;
  /** Answers a mode by this refresh instead. */
  refreshInstead?: number;
  /** Makes so many outputs for one create_output. */
  outputsPerCreate?: number;
  /** Takes requests and stays silent. */
  isSilent?: boolean;
  /** Sent for every answer. */
  rawAnswer?: Uint8Array;
}

export class FakeSway implements AsyncDisposable {
  readonly directory: string;
  readonly socketPath: string;
  readonly outputs: FakeOutput[] = [];
  readonly commands: string[] = [];
  readonly faults: FakeFaults;
  readonly #listener: Deno.Listener;
  readonly #connections = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;
  #lastNumber = 0;

  constructor(faults: FakeFaults = {}) {
    this.faults = faults;
    this.directory = Deno.makeTempDirSync({ prefix: "pf-fake-sway-" });
    this.socketPath = `${this.directory}/sway-ipc.0.1.sock`;
    this.#listener = Deno.listen({ transport: "unix", path: this.socketPath });
    this.#serving = this.#serve();
    this.#create();
    this.#focus("HEADLESS-1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#serving;
    await Deno.remove(this.directory, { recursive: true });
  }

  async #serve(): Promise<void> {
    const answering: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      answering.push(this.#answer(connection).catch(() => {}));
    }
    await Promise.all(answering);
  }

  async #answer(connection: Deno.Conn): Promise<void> {
    try {
      const header = await read(connection, IPC_HEADER_SIZE_BYTES);
      const { type, payloadSizeBytes } = decodeIpcHeader(header);
      const text = new TextDecoder().decode(await read(connection, payloadSizeBytes));
      if (this.faults.isSilent) return void await connection.read(new Uint8Array(1));
      const payload = new TextEncoder().encode(JSON.stringify(this.#handle(type, text)));
      new DataView(header.buffer).setUint32(6, payload.byteLength, true);
      await connection.write(this.faults.rawAnswer ?? new Uint8Array([...header, ...payload]));
    } finally {
      if (this.#connections.delete(connection)) connection.close();
    }
  }

  #handle(type: number, text: string): unknown {
    if (type === 3) return this.outputs;
    if (type === 7) return { human_readable: "1.9", major: 1, minor: this.faults.isOld ? 7 : 9 };
    this.commands.push(text);
    const error = this.#run(text);
    return [error === undefined ? { success: true } : { success: false, error }];
  }

  #run(text: string): string | undefined {
    const [, name = "", rest = ""] = /^(?:output|focus output) "([^"]*)" ?(.*)$/.exec(text) ?? [];
    const output = this.outputs.find((one) => one.name === name);
    if (text === "create_output") {
      for (let count = 0; count < (this.faults.outputsPerCreate ?? 1); count++) this.#create();
    } else if (output === undefined) {
      return "Unknown command";
    } else if (text.startsWith("focus")) {
      this.#focus(name);
    } else if (rest === "unplug") {
      if (this.faults.isOld) return "Invalid output subcommand: unplug.";
      this.outputs.splice(this.outputs.indexOf(output), 1);
    } else {
      const match = /mode --custom (\d+)x(\d+)@([\d.]+)Hz/.exec(rest);
      const [width, height] = [Number(match?.[1]), Number(match?.[2])];
      const refresh = this.faults.refreshInstead ?? Math.round(Number(match?.[3]) * 1000);
      output.current_mode = { width, height, refresh };
    }
    return undefined;
  }

  #create(): void {
    this.outputs.push({
      name: `HEADLESS-${++this.#lastNumber}`,
      active: true,
      focused: false,
      rect: { x: 0, y: 0, width: 1280, height: 720 },
    });
  }

  #focus(name: string): void {
    for (const output of this.outputs) output.focused = output.name === name;
  }
}

async function read(connection: Deno.Conn, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(sizeBytes);
  for (let offset = 0; offset < sizeBytes;) {
    const count = await connection.read(bytes.subarray(offset));
    if (count === null) throw new Error("hung up");
    offset += count;
  }
  return bytes;
}
