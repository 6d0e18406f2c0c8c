/**
 * What the sound backend asks of one PipeWire server.
 *
 * @module
 */
import type { PipewireConnection } from "../../ffi/pipewire.ts";
import type { Clock } from "../lib/clock.ts";
import {
  type DefaultClaim,
  defaultWithout,
  encodeDefaultName,
  parseDefaultName,
} from "./pipewire_defaults.ts";

export const ANSWER_TIMEOUT_MS = 2000;
/** How long the session manager may take to follow a changed default. */
const FOLLOW_STEP_MS = 10;
const FOLLOW_STEPS = 200;
const FOLLOW_STEPS_PER_LOAD = 10;
const SINK_NAME = /^punktfunk-[0-9]+$/;

/** The part of a connection that is used; a test's fake has no more. */
export type SoundServer = Pick<
  PipewireConnection,
  | "version"
  | "service"
  | "sync"
  | "nodes"
  | "destroyNode"
  | "loadDefaults"
  | "defaultSink"
  | "setDefaultSink"
  | "createSink"
  | "openEcho"
  | "destroySink"
  | "close"
>;

/** The sink in effect; null when there is none. */
export function effectiveSink(server: SoundServer): string | null {
  return parseDefaultName(server.defaultSink("effective"));
}

/**
 * Wait until `isReached` holds for a default sink. False when that takes more than two seconds.
 *
 * The session manager owns the defaults, so its answer comes after the server's. News of a change may be lost, hence the
 * loading anew now and then.
 */
export async function defaultBecomes(
  server: SoundServer,
  isReached: () => boolean,
  options: { readonly clock: Clock },
): Promise<boolean> {
  for (let step = 1; step <= FOLLOW_STEPS; step++) {
    if (step % FOLLOW_STEPS_PER_LOAD === 0) await server.loadDefaults(ANSWER_TIMEOUT_MS);
    else await server.sync(ANSWER_TIMEOUT_MS);
    if (isReached()) return true;
    await new Promise<void>((resolve) => options.clock.after(FOLLOW_STEP_MS, resolve));
  }
  return false;
}

/** The configured default. A sink of ours that does not exist was left by somebody's crash and is nobody's choice. */
export function configuredSink(server: SoundServer): string | null {
  const name = parseDefaultName(server.defaultSink("configured"));
  const isStale = name !== null && SINK_NAME.test(name) &&
    !server.nodes().some((node) => node.name === name);
  return isStale ? null : name;
}

export function freeSinkName(server: SoundServer): string {
  const taken = new Set(server.nodes().map((node) => node.name));
  let number = 1;
  while (taken.has(`punktfunk-${number}`)) number++;
  return `punktfunk-${number}`;
}

/** Undo the claims' share in the configured default. Returns what it is now; undefined when it was none of theirs. */
export async function putBack(
  server: SoundServer,
  claims: readonly DefaultClaim[],
  options: { readonly clock: Clock },
): Promise<string | null | undefined> {
  await server.loadDefaults(ANSWER_TIMEOUT_MS);
  const configured = () => parseDefaultName(server.defaultSink("configured"));
  const wanted = defaultWithout(configured(), claims);
  if (wanted === configured()) return undefined;
  server.setDefaultSink(encodeDefaultName(wanted));
  await defaultBecomes(server, () => configured() === wanted, options);
  return wanted;
}
