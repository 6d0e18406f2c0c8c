/**
 * A sound server in memory, with a session manager that follows at once.
 *
 * @module
 */
import type { PipewireNode } from "../../../ffi/pipewire.ts";
import { OperationError } from "../../../src/lib/errors.ts";
import { encodeDefaultName, parseDefaultName } from "../../../src/audio/pipewire_defaults.ts";
import type { SoundServer } from "../../../src/audio/pipewire_server.ts";

export class FakeSoundServer {
  configured: string | null = "speakers";
  isGone = false;
  isFollowing = true;
  openConnections = 0;
  /** By sink: what its echo was asked to be. */
  readonly echoes: unknown[] = [];
  #nodes: PipewireNode[] = [
    { id: 1, mediaClass: "Audio/Sink", name: "speakers" },
    { id: 2, mediaClass: "Audio/Sink", name: "headphones" },
  ];
  #lastId = 2;

  get nodeNames(): string[] {
    return this.#nodes.map((node) => node.name);
  }

  /** The configured sink when it exists, else the first there is. */
  get effective(): string | null {
    const names = this.nodeNames;
    return this.configured !== null && names.includes(this.configured)
      ? this.configured
      : names[0] ?? null;
  }

  addSink(name: string): number {
    this.#nodes.push({ id: ++this.#lastId, mediaClass: "Audio/Sink", name });
    return this.#lastId;
  }

  removeNode(id: number): void {
    this.#nodes = this.#nodes.filter((node) => node.id !== id);
  }

  /** End as a crash does: every connection and what was made on it. The configured default is on disk. */
  crash(): void {
    this.isGone = true;
    this.#nodes = this.#nodes.filter((node) => !node.name.startsWith("punktfunk"));
  }

  connect = (): SoundServer => {
    if (this.isGone) throw new OperationError("unavailable", "Cannot connect: nobody answers");
    this.openConnections++;
    return this.#connection();
  };

  #connection(): SoundServer {
    const own = new Set<number>();
    let isLost = false;
    let isClosed = false;
    const check = () => {
      isLost ||= this.isGone;
      if (isLost) throw new OperationError("unavailable", "Cannot reach the server: it is gone");
    };
    const inTime = (answer: () => void) => new Promise<void>((resolve) => resolve(answer()));
    return {
      version: "0.0.1",
      service: () => !(isLost ||= this.isGone),
      sync: () => inTime(check),
      loadDefaults: () => inTime(check),
      nodes: () => [...this.#nodes],
      destroyNode: (id) => this.removeNode(id),
      defaultSink: (which) =>
        encodeDefaultName(which === "configured" ? this.configured : this.effective),
      setDefaultSink: (value) => {
        if (this.isFollowing) this.configured = parseDefaultName(value);
      },
      createSink: async (properties) => {
        await inTime(check);
        const id = this.addSink(String(properties["node.name"]));
        own.add(id);
        return id;
      },
      openEcho: (moduleArguments) => void this.echoes.push(moduleArguments["playback.props"]),
      destroySink: (slot) => this.removeNode(slot),
      close: () => {
        if (isClosed) return;
        isClosed = true;
        this.openConnections--;
        for (const id of own) this.removeNode(id);
      },
    };
  }
}
