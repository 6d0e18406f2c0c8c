/**
 * Binding of native/pipewire: one connection to a PipeWire server, with its sinks, defaults and one stream.
 *
 * @module
 */
import { NativeError, OperationError } from "../src/lib/errors.ts";
import { openShim } from "./library.ts";
import { ABI, SYMBOLS } from "./pipewire_symbols.ts";

/** enum pf_pipewire_status. */
const STATUS_LIBRARY = -3;
const STATUS_CONNECT = -4;
const STATUS_GONE = -5;
const STATUS_TIMEOUT = -6;
const STATUS_ABSENT = -7;
const STATUS_REFUSED = -9;

/** enum pf_pipewire_default, enum pf_pipewire_direction. */
const DEFAULTS = { configured: 0, effective: 1 } as const;
const DIRECTIONS = { capture: 0, microphone: 1 } as const;

/** struct pf_pipewire_node: u32 id, u32 reserved, 56 bytes of media class, 192 bytes of name. */
const NODE_SIZE_BYTES = 256;
const NODE_CLASS_OFFSET = 8;
const NODE_NAME_OFFSET = 64;
/** struct pf_pipewire_block: i64 captured_at_us, u32 silent_samples, u32 dropped_samples. */
const BLOCK_SIZE_BYTES = 16;
/** PF_PIPEWIRE_PROPERTIES_MAX. */
const DEFAULT_SIZE_BYTES_MAX = 4096;
/** struct pf_pipewire.version. */
const VERSION_SIZE_BYTES = 32;

/** Properties of a node or stream, or arguments of a module: PipeWire reads JSON. */
export type PipewireProperties = {
  readonly [key: string]: string | number | boolean | readonly string[] | PipewireProperties;
};

export interface PipewireNode {
  readonly id: number;
  /** E.g. "Audio/Sink"; "" when the node has none. */
  readonly mediaClass: string;
  readonly name: string;
}

export interface CapturedBlock {
  /** CLOCK_MONOTONIC of the first sample, microseconds. */
  readonly capturedAtUs: number;
  /** Per channel, at the end of the block: silence because none came. */
  readonly silentSamples: number;
  /** Per channel, before the block: thrown away because they had grown old. */
  readonly droppedSamples: number;
}

/**
 * One connection to one server. Whatever was made on it ends with it, also when the process is killed.
 *
 * Calls are made one at a time: methods that return a promise queue up, the others must not run meanwhile (`service`
 * alone may, and does nothing then). `close` twice is legal; during a call it takes effect at its end.
 *
 * Throws OperationError: "missing-library" without libpipewire, "unavailable" when the server does not answer or
 * refuses, "capture-lost" when a stream's node or its server is gone.
 */
export class PipewireConnection implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  #handle: Deno.PointerValue;
  #calls = 0;
  #lastCall: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  readonly #block = new Uint8Array(BLOCK_SIZE_BYTES);

  /** `socketPath` is absolute, at most 107 bytes. */
  constructor(socketPath: string) {
    this.#library = openShim("pipewire", ABI, SYMBOLS);
    const path = new TextEncoder().encode(socketPath);
    const out = new BigUint64Array(1);
    const status = this.#library.symbols.pf_pipewire_open(
      path,
      BigInt(path.byteLength),
      new Uint8Array(out.buffer),
    );
    if (status !== 0) {
      this.#library.close();
      throw errorOf(status, "connect to PipeWire");
    }
    this.#handle = Deno.UnsafePointer.create(out[0] ?? 0n);
  }

  /** E.g. "1.4.2"; "" before the first `sync`. */
  get version(): string {
    const out = new Uint8Array(VERSION_SIZE_BYTES);
    const { pf_pipewire_version } = this.#library.symbols;
    check(
      pf_pipewire_version(this.#open(), out, BigInt(out.byteLength)),
      "read PipeWire's version",
    );
    return textOf(out);
  }

  /** Answer the server without waiting. Wants calling a few times a second. False once the server is gone. */
  service(): boolean {
    if (this.#isClosed || this.#calls > 0) return true;
    return this.#library.symbols.pf_pipewire_iterate(this.#open(), 0) === 0;
  }

  /** Until the server has done everything asked before, and its nodes are known here. */
  async sync(timeoutMs: number): Promise<void> {
    const { pf_pipewire_sync } = this.#library.symbols;
    check(
      await this.#call((handle) => pf_pipewire_sync(handle, timeoutMs)),
      "reach PipeWire",
    );
  }

  nodes(): PipewireNode[] {
    const { pf_pipewire_node_at } = this.#library.symbols;
    const handle = this.#open();
    const out = new Uint8Array(NODE_SIZE_BYTES);
    const view = new DataView(out.buffer);
    const nodes: PipewireNode[] = [];
    for (;;) {
      const status = pf_pipewire_node_at(handle, nodes.length, out, BigInt(out.byteLength));
      if (status === STATUS_ABSENT) return nodes;
      check(status, "list PipeWire's nodes");
      nodes.push({
        id: view.getUint32(0, true),
        mediaClass: textOf(out.subarray(NODE_CLASS_OFFSET, NODE_NAME_OFFSET)),
        name: textOf(out.subarray(NODE_NAME_OFFSET)),
      });
    }
  }

  /** Ask the server to remove a node, whoever owns it. */
  destroyNode(id: number): void {
    const { pf_pipewire_node_destroy } = this.#library.symbols;
    check(pf_pipewire_node_destroy(this.#open(), id), "remove a node of PipeWire");
  }

  /**
   * Learn the defaults, and their changes from now on. Wants calling before a value matters: the server withholds changes
   * from everybody while any client is loading them. Throws OperationError "unavailable" without a session manager.
   */
  async loadDefaults(timeoutMs: number): Promise<void> {
    const { pf_pipewire_defaults_load } = this.#library.symbols;
    check(
      await this.#call((handle) => pf_pipewire_defaults_load(handle, timeoutMs)),
      "read the default sink",
    );
  }

  /**
   * The default sink as PipeWire keeps it, JSON such as `{"name":"…"}`: the one somebody configured, or the one in
   * effect. Undefined when there is none. As far as loaded.
   */
  defaultSink(which: keyof typeof DEFAULTS): string | undefined {
    const out = new Uint8Array(DEFAULT_SIZE_BYTES_MAX);
    const { pf_pipewire_default_get } = this.#library.symbols;
    const sizeBytes = check(
      pf_pipewire_default_get(this.#open(), DEFAULTS[which], out, BigInt(out.byteLength)),
      "read the default sink",
    );
    return sizeBytes === 0 ? undefined : new TextDecoder().decode(out.subarray(0, sizeBytes));
  }

  /** Set or unset the configured default sink. The session manager lets the one in effect follow. */
  setDefaultSink(value: string | undefined): void {
    const bytes = new TextEncoder().encode(value ?? "");
    const { pf_pipewire_default_set } = this.#library.symbols;
    check(
      pf_pipewire_default_set(this.#open(), bytes, BigInt(bytes.byteLength)),
      "set the default sink",
    );
  }

  /** Make a node by the factory "adapter"; resolves with its slot once the server has it. At most 16. */
  async createSink(properties: PipewireProperties, timeoutMs: number): Promise<number> {
    const json = encodeProperties(properties);
    const { pf_pipewire_sink_create } = this.#library.symbols;
    return check(
      await this.#call((handle) =>
        pf_pipewire_sink_create(handle, json, BigInt(json.byteLength), timeoutMs)
      ),
      "make a virtual sink",
    );
  }

  destroySink(slot: number): void {
    const { pf_pipewire_sink_destroy } = this.#library.symbols;
    check(pf_pipewire_sink_destroy(this.#open(), slot), "remove a virtual sink");
  }

  /** Copy sound between two nodes until `close`: arguments of module-loopback. Once a connection. */
  openEcho(moduleArguments: PipewireProperties): void {
    const json = encodeProperties(moduleArguments);
    const { pf_pipewire_echo_open } = this.#library.symbols;
    check(
      pf_pipewire_echo_open(this.#open(), json, BigInt(json.byteLength)),
      "play the sound on this machine too",
    );
  }

  /** The one stream of the connection: 48 kHz, interleaved 32-bit float; channels 2, 6, 8, or 1 for a microphone. */
  openStream(
    direction: keyof typeof DIRECTIONS,
    channels: number,
    properties: PipewireProperties,
  ): void {
    const json = encodeProperties(properties);
    const { pf_pipewire_stream_open } = this.#library.symbols;
    check(
      pf_pipewire_stream_open(
        this.#open(),
        DIRECTIONS[direction],
        channels,
        json,
        BigInt(json.byteLength),
      ),
      "open a stream of PipeWire",
    );
  }

  /**
   * Fill `out` with `samples` per channel of the capture stream. Resolves with null when `timeoutMs` was shorter than
   * the block; silence makes up for a source that delivers nothing. At most 4800 samples.
   */
  async read(
    out: Uint8Array<ArrayBuffer>,
    options: { readonly samples: number; readonly timeoutMs: number },
  ): Promise<CapturedBlock | null> {
    const { pf_pipewire_capture_read } = this.#library.symbols;
    const status = await this.#call((handle) =>
      pf_pipewire_capture_read(
        handle,
        options.samples,
        options.timeoutMs,
        out,
        BigInt(out.byteLength),
        this.#block,
        BigInt(this.#block.byteLength),
      )
    );
    if (status === STATUS_TIMEOUT) return null;
    if (status === STATUS_GONE) {
      throw new OperationError(
        "capture-lost",
        "Cannot capture sound: the sink or PipeWire itself is gone",
      );
    }
    check(status, "capture sound");
    const view = new DataView(this.#block.buffer);
    return {
      capturedAtUs: Number(view.getBigInt64(0, true)),
      silentSamples: view.getUint32(8, true),
      droppedSamples: view.getUint32(12, true),
    };
  }

  /** Hand `samples` per channel to whoever records from the microphone. Does not wait. At most 4800. */
  write(
    data: { readonly pointer: Deno.PointerObject; readonly sizeBytes: number },
    samples: number,
  ): void {
    const { pf_pipewire_microphone_write } = this.#library.symbols;
    check(
      pf_pipewire_microphone_write(this.#open(), samples, data.pointer, BigInt(data.sizeBytes)),
      "feed the virtual microphone",
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#calls === 0) this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): void {
    this.#library.symbols.pf_pipewire_close(this.#handle);
    this.#handle = null;
    this.#library.close();
  }

  #open(): Deno.PointerValue {
    if (this.#isClosed) {
      throw new OperationError("failed", "Cannot use the PipeWire connection: it is closed");
    }
    return this.#handle;
  }

  /** Run one nonblocking call after the others. */
  async #call(start: (handle: Deno.PointerValue) => Promise<number>): Promise<number> {
    this.#open();
    this.#calls++;
    const before = this.#lastCall;
    const call = (async () => {
      await before;
      try {
        return this.#isClosed ? STATUS_GONE : await start(this.#handle);
      } finally {
        this.#calls--;
        if (this.#isClosed && this.#calls === 0) this.#release();
      }
    })();
    this.#lastCall = call;
    return await call;
  }
}

function encodeProperties(properties: PipewireProperties): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(properties));
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** `status` when it is none of failure; `action` reads "Cannot <action>: …". */
function check(status: number, action: string): number {
  if (status < 0) throw errorOf(status, action);
  return status;
}

function errorOf(status: number, action: string): Error {
  switch (status) {
    case STATUS_LIBRARY:
      return new OperationError(
        "missing-library",
        `Cannot ${action}: libpipewire-0.3.so.0 is not installed`,
        { remedy: "Install PipeWire, on Debian with `apt-get install pipewire wireplumber`" },
      );
    case STATUS_CONNECT:
      return new OperationError("unavailable", `Cannot ${action}: nobody answers at its socket`, {
        remedy: "Start PipeWire in this user's session",
      });
    case STATUS_GONE:
      return new OperationError("unavailable", `Cannot ${action}: PipeWire is gone`);
    case STATUS_TIMEOUT:
      return new OperationError("unavailable", `Cannot ${action}: PipeWire did not answer in time`);
    case STATUS_ABSENT:
      return new OperationError("unavailable", `Cannot ${action}: no session manager is running`, {
        remedy: "Start WirePlumber in this user's session",
      });
    case STATUS_REFUSED:
      return new OperationError("unavailable", `Cannot ${action}: PipeWire refused it`);
    default:
      return new NativeError("pipewire", status, `Cannot ${action}: the shim says ${status}`);
  }
}
