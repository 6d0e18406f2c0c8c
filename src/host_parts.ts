/**
 * What `serve` and `punktfunk1-host` open alike: the native plane's stores, display and sound, and multicast DNS.
 *
 * @module
 */
import { createPipewireAudio } from "./audio/pipewire.ts";
import { pipewireSocketPath } from "./audio/pipewire_socket.ts";
import type { AudioBackend } from "./audio/ports.ts";
import { chooseAudioBackend } from "./audio/registry.ts";
import { openSyntheticAudioBackend } from "./audio/synthetic.ts";
import { type Mdns, openMdns } from "./discovery/mdns.ts";
import type { DisplayBackend } from "./display/ports.ts";
import { chooseDisplayBackend } from "./display/registry.ts";
import type { HostEnvironment, SourceChoice } from "./host_options.ts";
import { describeError } from "./lib/errors.ts";
import { type Identity, openIdentity } from "./trust/identity.ts";
import { type NativeTrust, openNativeTrust } from "./trust/native_trust.ts";

/** Open what a host holds onto the stack that its `close` disposes of. When `open` throws, nothing is left open. */
export async function openHolding<Opened>(
  open: (stack: AsyncDisposableStack) => Promise<Opened>,
): Promise<Opened> {
  const stack = new AsyncDisposableStack();
  try {
    return await open(stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

export interface NativeStores {
  readonly trust: NativeTrust;
  readonly identity: Identity;
}

/** The config directory has to be there. Throws OperationError "storage"; nothing is left open then. */
export async function openNativeStores(
  { directories, logger, clock }: HostEnvironment,
): Promise<NativeStores> {
  using stack = new DisposableStack();
  const trust = stack.use(
    await openNativeTrust(directories.config, {
      clock,
      onPending: ({ id, fingerprint, source }) =>
        logger.info("pairing.pending", { id, fingerprint, source }),
      onFault: (error) => logger.error("trust.unsaved", { reason: describeError(error) }),
    }),
  );
  const { identity, notice } = await openIdentity(directories.config, {
    kind: "native",
    hasPairings: trust.clients.size > 0,
    machineName: Deno.hostname(),
  });
  if (notice !== undefined) logger.warn("host.notice", { text: notice });
  stack.move();
  return { trust, identity };
}

export interface Backends {
  readonly display: DisplayBackend;
  readonly audio: AudioBackend;
  /** Why these, one sentence each. */
  readonly reasons: readonly string[];
}

/** Choose display and sound, and undo what a killed host left of either before anything new is made. */
export async function openBackends(
  source: SourceChoice,
  { env, directories, logger, clock }: HostEnvironment,
): Promise<Backends> {
  const display = await chooseDisplayBackend({ source, environment: env, clock });
  const audio = await chooseAudioBackend({
    pipewire: createPipewireAudio({
      socketPath: pipewireSocketPath(env),
      stateDirectory: directories.state,
      clock,
    }),
    synthetic: openSyntheticAudioBackend(),
  }, { isSyntheticWanted: display.backend.id === "synthetic" });
  for (const recover of [() => display.backend.recover(), () => audio.backend.recover()]) {
    try {
      for (const done of await recover()) logger.info("host.recovered", { what: done });
    } catch (error) {
      logger.warn("host.recover", { reason: describeError(error) });
    }
  }
  return {
    display: display.backend,
    audio: audio.backend,
    reasons: [display.reason, audio.reason],
  };
}

/** Never rejects: what goes wrong is logged. */
export function openHostMdns({ logger, clock }: HostEnvironment): Promise<Mdns> {
  return openMdns({
    machineName: Deno.hostname(),
    clock,
    onNotice: (text) => logger.warn("host.notice", { text }),
  });
}
