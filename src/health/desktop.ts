/**
 * The desktop: where pictures would come from, and which sound goes with them.
 *
 * @module
 */
import { PipewireConnection } from "../../ffi/pipewire.ts";
import { effectiveSink } from "../audio/pipewire_server.ts";
import { chooseDisplayBackend, type DisplayChoiceOptions } from "../display/registry.ts";
import { OperationError } from "../lib/errors.ts";
import type { Finding } from "./check.ts";

const PIPEWIRE_ANSWER_TIMEOUT_MS = 2000;

interface EnvironmentReader {
  get(name: string): string | undefined;
}

export interface DisplayFacts {
  /** E.g. "wayland session, sway"; "" when the environment names none. */
  readonly session: string;
  readonly backend: { readonly id: string; readonly label: string } | undefined;
  /** Why this backend, or why none. */
  readonly reason: string;
  readonly remedy?: string;
  /** Whether a setting or variable asks for this backend. */
  readonly isPinned: boolean;
}

/** Makes no display. */
export async function gatherDisplay(options: DisplayChoiceOptions): Promise<DisplayFacts> {
  const { source, environment } = options;
  const pin = environment.get("PUNKTFUNK_COMPOSITOR")?.trim().toLowerCase() ?? "";
  const isPinned = source !== "auto" || (pin !== "" && pin !== "auto");
  const session = describeSession(environment);
  try {
    const { backend, reason } = await chooseDisplayBackend(options);
    return { session, backend: { id: backend.id, label: backend.label }, reason, isPinned };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { message, remedy } = error;
    return {
      session,
      backend: undefined,
      reason: message,
      isPinned,
      ...(remedy === undefined ? {} : { remedy }),
    };
  }
}

/** What kind of desktop the variables tell of. */
export function describeSession(environment: EnvironmentReader): string {
  const kind = environment.get("XDG_SESSION_TYPE") ||
    (environment.get("WAYLAND_DISPLAY") ? "wayland" : environment.get("DISPLAY") ? "x11" : "");
  const desktop = environment.get("XDG_CURRENT_DESKTOP") || environment.get("DESKTOP_SESSION");
  return [...(kind === "" ? [] : [`${kind} session`]), ...(desktop ? [desktop] : [])].join(", ");
}

export function displayFinding(facts: DisplayFacts): Finding {
  const { session, backend, reason, isPinned } = facts;
  const where = session === "" ? "no desktop session" : session;
  if (backend === undefined) {
    return {
      state: "fault",
      summary: `${reason} (${where})`,
      remedy: facts.remedy ?? "Take the choice back, or start that compositor",
    };
  }
  if (backend.id !== "synthetic") {
    return { state: "ok", summary: `Virtual displays by ${backend.label}: ${reason} (${where})` };
  }
  if (isPinned) return { state: "ok", summary: reason };
  return {
    state: "warning",
    summary: `${reason} (${where})`,
    remedy: "Start the host inside a desktop session that can make virtual displays",
  };
}

export interface SoundFacts {
  /** Undefined when the environment names no directory for it. */
  readonly socketPath: string | undefined;
  readonly isListening: boolean;
  /** Of the server, once it answered. */
  readonly version?: string;
  readonly hasSessionManager: boolean;
  readonly sinkCount: number;
  /** Name of the sink that programs play to. */
  readonly defaultSink: string | null;
  /** Why the server cannot be asked although somebody listens. */
  readonly error?: { readonly message: string; readonly remedy?: string };
}

const NO_SOUND = { isListening: false, hasSessionManager: false, sinkCount: 0, defaultSink: null };

/** Makes no sink and changes no default. */
export async function gatherSound(socketPath: string | undefined): Promise<SoundFacts> {
  if (socketPath === undefined || !await isListening(socketPath)) {
    return { ...NO_SOUND, socketPath };
  }
  try {
    using server = new PipewireConnection(socketPath);
    await server.sync(PIPEWIRE_ANSWER_TIMEOUT_MS);
    const hasSessionManager = await succeeds(server.loadDefaults(PIPEWIRE_ANSWER_TIMEOUT_MS));
    return {
      socketPath,
      isListening: true,
      version: server.version,
      hasSessionManager,
      sinkCount: server.nodes().filter((node) => node.mediaClass === "Audio/Sink").length,
      defaultSink: hasSessionManager ? effectiveSink(server) : null,
    };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { message, remedy } = error;
    return {
      ...NO_SOUND,
      socketPath,
      isListening: true,
      error: { message, ...(remedy === undefined ? {} : { remedy }) },
    };
  }
}

/** A socket file stays when its program is killed; only connecting tells. */
async function isListening(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof OperationError && error.code === "unavailable") return false;
    throw error;
  }
}

const START_PIPEWIRE = "systemctl --user enable --now pipewire.socket wireplumber.service";

export function soundFinding(facts: SoundFacts): Finding {
  const { socketPath, version } = facts;
  if (socketPath === undefined) {
    return {
      state: "warning",
      summary: "XDG_RUNTIME_DIR is not set, so that PipeWire cannot be found: a tone is streamed",
      remedy: "export XDG_RUNTIME_DIR=/run/user/$(id -u)",
    };
  }
  if (!facts.isListening) {
    return {
      state: "warning",
      summary: `PipeWire does not listen at ${socketPath}: a tone is streamed`,
      remedy: START_PIPEWIRE,
    };
  }
  if (facts.error !== undefined || version === undefined) {
    return {
      state: "warning",
      summary: `${facts.error?.message ?? "PipeWire does not answer"}, at ${socketPath}`,
      remedy: facts.error?.remedy ?? "systemctl --user restart pipewire.service",
    };
  }
  if (!facts.hasSessionManager) {
    return {
      state: "warning",
      summary: `PipeWire ${version} runs without a session manager, which would lead the sound`,
      remedy: "systemctl --user enable --now wireplumber.service",
    };
  }
  return {
    state: "ok",
    summary: `PipeWire ${version}, sinks: ${facts.sinkCount}, default: ${
      facts.defaultSink ?? "none"
    }`,
  };
}
