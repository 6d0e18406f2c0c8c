/**
 * Sound of the desktop through PipeWire: a virtual sink per session, the default while the session lasts.
 *
 * One connection carries the sinks of all sessions; it opens with the first claim and closes with the last. The server
 * removes the sinks with it, also when the host is killed. What it does not undo is the configured default, which the
 * session manager keeps on disk: that is journalled before it is changed.
 *
 * @module
 */
import { PipewireConnection } from "../../ffi/pipewire.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { describeError, OperationError } from "../lib/errors.ts";
import type { AudioChannels, AudioSourceSpec } from "../media/ports.ts";
import { AudioJournal } from "./journal.ts";
import { isOwnedByAnother, thisProcess } from "./journal_owner.ts";
import {
  claimsWithout,
  type DefaultClaim,
  defaultWithout,
  encodeDefaultName,
  parseDefaultName,
} from "./pipewire_defaults.ts";
import { openPipewireMicrophone } from "./pipewire_microphone.ts";
import { echoArguments, sinkProperties } from "./pipewire_properties.ts";
import type { AudioBackend, AudioClaim, MicrophoneSink } from "./ports.ts";

const ANSWER_TIMEOUT_MS = 2000;
const PROBE_TIMEOUT_MS = 1000;
/** The connection answers the server this often while nothing else happens on it. */
const SERVICE_INTERVAL_MS = 50;
const DEFAULT_WAIT_STEP_MS = 10;
const DEFAULT_WAIT_STEPS = 200;
const SINK_NAME = /^punktfunk-[0-9]+$/;

/** What this backend needs of a connection. */
export type SoundServer = Pick<
  PipewireConnection,
  | "version"
  | "service"
  | "sync"
  | "nodes"
  | "destroyNode"
  | "defaultSink"
  | "setDefaultSink"
  | "createSink"
  | "openEcho"
  | "destroySink"
  | "close"
>;

export interface PipewireAudioOptions {
  /** As `pipewireSocketPath` finds it; undefined when the environment names none. */
  readonly socketPath: string | undefined;
  /** Of files that must survive a crash; made when first needed. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly connect?: (socketPath: string) => SoundServer;
}

interface LiveClaim extends DefaultClaim {
  /** Unlike names, never used again. */
  readonly id: number;
  readonly slot: number;
  /** The sink that was in effect before any of ours; null when there was none. */
  readonly speakers: string | null;
  /** The connection that copies the sound to the speakers; undefined when it is not to be heard there. */
  readonly echo: SoundServer | undefined;
}

/** Opens nothing yet. */
export function createPipewireAudio(options: PipewireAudioOptions): PipewireAudio {
  return new PipewireAudio(options);
}

export class PipewireAudio implements AudioBackend {
  readonly id = "pipewire";
  readonly #options: PipewireAudioOptions;
  readonly #journal: AudioJournal;
  #server: SoundServer | undefined;
  #service: Timer | undefined;
  #claims: readonly LiveClaim[] = [];
  #lastClaimId = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: PipewireAudioOptions) {
    this.#options = options;
    this.#journal = new AudioJournal(options.stateDirectory);
  }

  async probe(): Promise<{ readonly isAvailable: boolean; readonly reason: string }> {
    try {
      const server = await this.#connect(PROBE_TIMEOUT_MS);
      try {
        server.defaultSink("configured");
        return {
          isAvailable: true,
          reason: `PipeWire ${server.version} answers at ${this.#options.socketPath}`,
        };
      } finally {
        server.close();
      }
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return { isAvailable: false, reason: describeError(error) };
    }
  }

  claim(
    options: { readonly channels: AudioChannels; readonly isHeardOnHost: boolean },
  ): Promise<AudioClaim> {
    return this.#inTurn(() => this.#claim(options));
  }

  recover(): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      if (this.#claims.length > 0) return [];
      const entry = await this.#journal.read(this.#options.clock.wallMs());
      if (entry === undefined || await isOwnedByAnother(entry.owner)) return [];
      let server: SoundServer;
      try {
        server = await this.#connect(ANSWER_TIMEOUT_MS);
      } catch {
        // The journal stays, and the first claim or the next start tries again.
        return [];
      }
      try {
        return await this.#undo(server, entry.claims);
      } finally {
        server.close();
      }
    });
  }

  /** A microphone named `name`, independent of claims. Throws OperationError "unavailable" or "missing-library". */
  openMicrophone(
    options: { readonly name: string; readonly channels: 1 | 2 },
  ): MicrophoneSink {
    return openPipewireMicrophone({
      ...options,
      socketPath: this.#socketPath(),
      clock: this.#options.clock,
    });
  }

  async #claim(
    options: { readonly channels: AudioChannels; readonly isHeardOnHost: boolean },
  ): Promise<AudioClaim> {
    const server = await this.#connected();
    let claim: LiveClaim | undefined;
    try {
      await this.#undoFormer(server);
      const name = freeSinkName(server);
      const replaced = configuredDefault(server);
      // In the journal before there is anything to undo.
      await this.#writeJournal([...this.#claims, { sinkName: name, replaced }]);
      const properties = sinkProperties(name, options.channels);
      const slot = await server.createSink(properties, ANSWER_TIMEOUT_MS);
      const speakers = this.#speakers(server);
      const isHeard = options.isHeardOnHost && speakers !== null;
      const echo = isHeard ? await this.#connect(ANSWER_TIMEOUT_MS) : undefined;
      const id = ++this.#lastClaimId;
      claim = { id, sinkName: name, replaced, slot, speakers, echo };
      this.#claims = [...this.#claims, claim];
      if (isHeard) {
        echo?.openEcho(
          echoArguments(name, { speakersName: speakers, channels: options.channels }),
        );
      }
      server.setDefaultSink(encodeDefaultName(name));
      await this.#defaultInEffect(server, name);
    } catch (error) {
      await this.#release(claim?.id);
      throw error;
    }
    return this.#claimOf(claim, options.channels);
  }

  #claimOf({ id, sinkName }: LiveClaim, channels: AudioChannels): AudioClaim {
    const source: AudioSourceSpec = {
      kind: "pipewire",
      channels,
      socketPath: this.#socketPath(),
      sinkName,
    };
    let closed: Promise<void> | undefined;
    const close = () => closed ??= this.#inTurn(() => this.#release(id));
    return { source, close, [Symbol.asyncDispose]: close };
  }

  /** Take one claim back, or only what is left of a failed one. Never throws for a server that is gone. */
  async #release(id: number | undefined): Promise<void> {
    const claim = this.#claims.find((one) => one.id === id);
    try {
      const server = this.#server;
      if (server === undefined || !server.service()) throw goneError();
      if (claim !== undefined) {
        // The default goes first, so that playing applications move once and to the right place.
        await putBack(server, [claim]);
        this.#claims = claimsWithout(this.#claims, claim);
        claim.echo?.close();
        server.destroySink(claim.slot);
        await server.sync(ANSWER_TIMEOUT_MS);
      }
      if (this.#claims.length > 0) await this.#writeJournal(this.#claims);
      else await this.#journal.remove();
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== "unavailable") throw error;
      // The sinks of all claims went with the server. It may have come back with our default on its disk.
      this.#disconnect();
      await this.#undoAnew();
    } finally {
      if (this.#claims.length === 0) this.#disconnect();
    }
  }

  async #undoAnew(): Promise<void> {
    let server: SoundServer | undefined;
    try {
      server = await this.#connect(ANSWER_TIMEOUT_MS);
      await this.#undoFormer(server);
    } catch (error) {
      // Left in the journal for the next claim or start.
      if (!(error instanceof OperationError)) throw error;
    } finally {
      server?.close();
    }
  }

  /** Undo what the journal says before the first claim of a connection. */
  async #undoFormer(server: SoundServer): Promise<void> {
    if (this.#claims.length > 0) return;
    const entry = await this.#journal.read(this.#options.clock.wallMs());
    if (entry !== undefined && !await isOwnedByAnother(entry.owner)) {
      await this.#undo(server, entry.claims);
    }
  }

  async #undo(server: SoundServer, claims: readonly DefaultClaim[]): Promise<string[]> {
    const done: string[] = [];
    const restored = await putBack(server, claims);
    if (restored !== undefined) {
      done.push(
        restored === null
          ? "Left the default sink to the session manager again"
          : `Made "${restored}" the default sink again`,
      );
    }
    const names = new Set(claims.map((claim) => claim.sinkName));
    for (const node of server.nodes()) {
      if (node.mediaClass !== "Audio/Sink" || !names.has(node.name)) continue;
      server.destroyNode(node.id);
      done.push(`Removed the virtual sink "${node.name}"`);
    }
    await server.sync(ANSWER_TIMEOUT_MS);
    await this.#journal.remove();
    return done;
  }

  async #writeJournal(claims: readonly DefaultClaim[]): Promise<void> {
    const plain = claims.map(({ sinkName, replaced }) => ({ sinkName, replaced }));
    await this.#journal.write({ owner: await thisProcess(), claims: plain });
  }

  #speakers(server: SoundServer): string | null {
    const inEffect = parseDefaultName(server.defaultSink("effective"));
    const ours = this.#claims.find((claim) => claim.sinkName === inEffect);
    return ours === undefined ? inEffect : ours.speakers;
  }

  /** Wait until applications that start now play into the sink. */
  async #defaultInEffect(server: SoundServer, name: string): Promise<void> {
    for (let step = 0; step < DEFAULT_WAIT_STEPS; step++) {
      await server.sync(ANSWER_TIMEOUT_MS);
      if (parseDefaultName(server.defaultSink("effective")) === name) return;
      await new Promise<void>((resolve) =>
        this.#options.clock.after(DEFAULT_WAIT_STEP_MS, resolve)
      );
    }
    throw new OperationError(
      "unavailable",
      "Cannot make the virtual sink the default: the session manager did not follow",
      { remedy: "Check that WirePlumber is running in this user's session" },
    );
  }

  #socketPath(): string {
    if (this.#options.socketPath !== undefined) return this.#options.socketPath;
    throw new OperationError(
      "unavailable",
      "Cannot connect to PipeWire: no runtime directory is known",
      {
        remedy: "Set XDG_RUNTIME_DIR to that of the desktop session",
      },
    );
  }

  async #connect(timeoutMs: number): Promise<SoundServer> {
    const { connect = (path) => new PipewireConnection(path) } = this.#options;
    const server = connect(this.#socketPath());
    try {
      await server.sync(timeoutMs);
      return server;
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** The connection of the claims, opened when there is none or the server of the last one is gone. */
  async #connected(): Promise<SoundServer> {
    if (this.#server?.service() === false) this.#disconnect();
    if (this.#server === undefined) {
      this.#server = await this.#connect(ANSWER_TIMEOUT_MS);
      this.#armService();
    }
    await this.#server.sync(ANSWER_TIMEOUT_MS);
    return this.#server;
  }

  /** Claims end with their connection; what they changed stays in the journal. */
  #disconnect(): void {
    this.#service?.cancel();
    for (const claim of this.#claims) claim.echo?.close();
    this.#server?.close();
    this.#server = undefined;
    this.#claims = [];
  }

  #armService(): void {
    this.#service = this.#options.clock.after(SERVICE_INTERVAL_MS, () => {
      for (const claim of this.#claims) claim.echo?.service();
      if (this.#server?.service()) this.#armService();
    });
  }

  /** Claims, closes and recoveries change one default: one after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#work.then(work);
    this.#work = turn.catch(() => {});
    return turn;
  }
}

function goneError(): OperationError {
  return new OperationError("unavailable", "Cannot use PipeWire: the server is gone");
}

/** The configured default. A sink of ours that does not exist was left by somebody's crash and is nobody's choice. */
function configuredDefault(server: SoundServer): string | null {
  const name = parseDefaultName(server.defaultSink("configured"));
  const isStale = name !== null && SINK_NAME.test(name) &&
    !server.nodes().some((node) => node.name === name);
  return isStale ? null : name;
}

function freeSinkName(server: SoundServer): string {
  const taken = new Set(server.nodes().map((node) => node.name));
  let number = 1;
  while (taken.has(`punktfunk-${number}`)) number++;
  return `punktfunk-${number}`;
}

/** Undo the claims' share in the configured default. Returns what it is now; undefined when it was none of theirs. */
async function putBack(
  server: SoundServer,
  claims: readonly DefaultClaim[],
): Promise<string | null | undefined> {
  await server.sync(ANSWER_TIMEOUT_MS);
  const configured = parseDefaultName(server.defaultSink("configured"));
  const wanted = defaultWithout(configured, claims);
  if (wanted === configured) return undefined;
  server.setDefaultSink(encodeDefaultName(wanted));
  await server.sync(ANSWER_TIMEOUT_MS);
  return wanted;
}
