/**
 * Sound of the desktop through PipeWire: a virtual sink per session, the default while the session lasts.
 *
 * One connection carries the sinks of all sessions; it opens with the first claim and closes with the last. The server
 * removes the sinks with it, also when the host is killed. What it does not undo is the configured default, which the
 * session manager keeps on disk: that is journalled before it is changed.
 *
 * @module
 */
import { isRunningElsewhere, thisProcess } from "../platform/process_identity.ts";
import { PipewireConnection } from "../../ffi/pipewire.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { describeError, OperationError } from "../lib/errors.ts";
import type { AudioChannels, AudioSourceSpec } from "../media/ports.ts";
import { AudioJournal } from "./journal.ts";
import { claimsWithout, type DefaultClaim, encodeDefaultName } from "./pipewire_defaults.ts";
import { openPipewireMicrophone } from "./pipewire_microphone.ts";
import { echoArguments, sinkProperties } from "./pipewire_properties.ts";
import {
  ANSWER_TIMEOUT_MS,
  configuredSink,
  defaultBecomes,
  effectiveSink,
  freeSinkName,
  putBack,
  type SoundServer,
} from "./pipewire_server.ts";
import type { AudioBackend, AudioClaim, MicrophoneSink } from "./ports.ts";

const PROBE_TIMEOUT_MS = 1000;
/** The connection answers the server this often while nothing else happens on it. */
const SERVICE_INTERVAL_MS = 50;

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
  /** By claim: the connections that copy its sound to the speakers. */
  readonly #echoes = new Map<number, SoundServer>();
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
        await server.loadDefaults(PROBE_TIMEOUT_MS);
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
    return this.#inTurn(() => this.#undoAnew());
  }

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
    const { server, name, replaced, speakers } = await this.#prepare();
    let claim: LiveClaim | undefined;
    try {
      // In the journal before there is anything to undo.
      await this.#writeJournal([...this.#claims, { sinkName: name, replaced }]);
      const properties = sinkProperties(name, options.channels);
      const slot = await server.createSink(properties, ANSWER_TIMEOUT_MS);
      claim = { id: ++this.#lastClaimId, sinkName: name, replaced, slot, speakers };
      this.#claims = [...this.#claims, claim];
      if (options.isHeardOnHost) await this.#openEcho(claim, options.channels);
      server.setDefaultSink(encodeDefaultName(name));
      await this.#awaitDefault(server, name);
    } catch (error) {
      await this.#release(claim?.id);
      throw error;
    }
    return this.#claimOf(claim, options.channels);
  }

  /** Everything a claim has to know before it changes anything. */
  async #prepare() {
    const server = await this.#connected();
    try {
      await server.loadDefaults(ANSWER_TIMEOUT_MS);
      await this.#undoFormer(server);
      return {
        server,
        name: freeSinkName(server),
        replaced: configuredSink(server),
        speakers: this.#speakers(server),
      };
    } catch (error) {
      if (this.#claims.length === 0) this.#disconnect();
      throw error;
    }
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
        await putBack(server, [claim], this.#options);
        this.#claims = claimsWithout(this.#claims, claim);
        this.#closeEcho(claim.id);
        server.destroySink(claim.slot);
        // A claim made before the session manager has noticed would take the dead sink for the speakers.
        const isOther = () => effectiveSink(server) !== claim.sinkName;
        await defaultBecomes(server, isOther, this.#options);
      }
      if (this.#claims.length > 0) await this.#writeJournal(this.#claims);
      else await this.#journal.remove();
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      // The sinks of all claims went with the server. It may have come back with our default on its disk.
      this.#disconnect();
      await this.#undoAnew();
    } finally {
      if (this.#claims.length === 0) this.#disconnect();
    }
  }

  /** Undo what the journal says over a connection of its own. Without a server it waits for the next claim or start. */
  async #undoAnew(): Promise<string[]> {
    if (await this.#leftBehind() === undefined) return [];
    let server: SoundServer | undefined;
    try {
      server = await this.#connect(ANSWER_TIMEOUT_MS);
      return await this.#undoFormer(server);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      return [];
    } finally {
      server?.close();
    }
  }

  /** Undo what the journal says, before the first claim of a connection. */
  async #undoFormer(server: SoundServer): Promise<string[]> {
    const claims = await this.#leftBehind();
    return claims === undefined ? [] : await this.#undo(server, claims);
  }

  /** Claims of the journal that nobody holds any more. */
  async #leftBehind(): Promise<readonly DefaultClaim[] | undefined> {
    if (this.#claims.length > 0) return undefined;
    const entry = await this.#journal.read(this.#options.clock.wallMs());
    return entry === undefined || await isRunningElsewhere(entry.owner) ? undefined : entry.claims;
  }

  async #undo(server: SoundServer, claims: readonly DefaultClaim[]): Promise<string[]> {
    const done: string[] = [];
    const restored = await putBack(server, claims, this.#options);
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

  /** The sink a person hears: the one in effect, or what stood behind ours. */
  #speakers(server: SoundServer): string | null {
    const inEffect = effectiveSink(server);
    const ours = this.#claims.find((claim) => claim.sinkName === inEffect);
    return ours === undefined ? inEffect : ours.speakers;
  }

  async #openEcho(claim: LiveClaim, channels: AudioChannels): Promise<void> {
    if (claim.speakers === null) return;
    const echo = await this.#connect(ANSWER_TIMEOUT_MS);
    this.#echoes.set(claim.id, echo);
    echo.openEcho(echoArguments(claim.sinkName, { speakersName: claim.speakers, channels }));
  }

  #closeEcho(claimId: number): void {
    this.#echoes.get(claimId)?.close();
    this.#echoes.delete(claimId);
  }

  /** Applications that start from now on play into the sink. */
  async #awaitDefault(server: SoundServer, sinkName: string): Promise<void> {
    const isOurs = () => effectiveSink(server) === sinkName;
    if (await defaultBecomes(server, isOurs, this.#options)) return;
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
    return this.#server;
  }

  /** Claims end with their connection; what they changed stays in the journal. */
  #disconnect(): void {
    this.#service?.cancel();
    for (const id of [...this.#echoes.keys()]) this.#closeEcho(id);
    this.#server?.close();
    this.#server = undefined;
    this.#claims = [];
  }

  #armService(): void {
    this.#service = this.#options.clock.after(SERVICE_INTERVAL_MS, () => {
      for (const echo of this.#echoes.values()) echo.service();
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

/** PipeWire or its session manager is not there; anything else is a fault. */
function isUnreachable(error: unknown): boolean {
  return error instanceof OperationError &&
    (error.code === "unavailable" || error.code === "missing-library");
}

function goneError(): OperationError {
  return new OperationError("unavailable", "Cannot use PipeWire: the server is gone");
}
