/**
 * The only place where parts are put together for `serve`.
 *
 *     directories → stores, identities → (other hosts, told of) → display and sound → native plane → GameStream plane, perhaps
 *                 → mDNS → management API
 *
 * What was opened is closed in reverse order, whatever ended the host. Nothing here knows a protocol.
 *
 * @module
 */
import { type ApiServer, openApi } from "../api/server.ts";
import { instanceNameOf } from "./discovery/mdns.ts";
import { listDisplayBackends } from "./display/registry.ts";
import { HostApi } from "./host_api.ts";
import { nativeAdvert, openNativePlane, testLossLines } from "./host_native.ts";
import type { Host, HostEnvironment, HostOptions } from "./host_options.ts";
import {
  type Backends,
  openBackends,
  openHolding,
  openHostMdns,
  openNativeStores,
} from "./host_parts.ts";
import { runChecks } from "./health/check.ts";
import { conflictCheck } from "./health/conflicts.ts";
import { openMachine } from "./health/machine.ts";
import { OperationError } from "./lib/errors.ts";
import { openApps } from "./library/apps.ts";
import { GameStreamPlane } from "./planes/gamestream/plane.ts";
import { RAMP_MS_MAX } from "./planes/native/bring_up_ramp.ts";
import { findPortOwner } from "./platform/port_owner.ts";
import { SOFTWARE_CAPABILITIES } from "./session/capabilities.ts";
import { ensurePrivateDirectory } from "./store/file.ts";
import { GameStreamClients } from "./trust/gamestream_clients.ts";
import { openHostId, openManagementToken, writeManagementEndpoint } from "./trust/host_files.ts";
import { type Identity, openIdentity } from "./trust/identity.ts";
import type { NativeTrust } from "./trust/native_trust.ts";

/** Native sessions at once; further clients wait with their connection alive. */
const NATIVE_SESSIONS_MAX = 4;

interface Stores {
  readonly clients: GameStreamClients;
  readonly trust: NativeTrust;
  readonly uniqueId: string;
  readonly native: Identity;
  readonly token: string;
}

/** Bring everything up. Throws OperationError when a primary plane cannot start; nothing is left open then. */
export function openHost(options: HostOptions, environment: HostEnvironment): Promise<Host> {
  return openHolding((stack) => open(options, environment, stack));
}

async function open(
  options: HostOptions,
  environment: HostEnvironment,
  stack: AsyncDisposableStack,
): Promise<Host> {
  const { logger, clock } = environment;
  const hostName = options.hostName || Deno.hostname();
  const stores = await openStores(environment);
  stack.use(stores.trust);
  // The answer changes nothing here; nobody has to wait for it.
  const conflicts = reportConflicts(environment);
  stack.defer(() => conflicts);
  const backends = await openBackends(options.source, environment);
  const lines = [...backends.reasons, ...testLossLines(options.videoDropPercent)];

  let sessions = 0;
  const parts: PlaneParts = {
    options,
    environment,
    stores,
    backends,
    hostName,
    nextSessionId: () => ++sessions,
  };
  const { plane: nativePlane, reason: quicReason } = await openNative(parts, () => api.port);
  stack.use(nativePlane);
  lines.push(`punktfunk/1 listens on UDP port ${nativePlane.port}`, quicReason);
  let plane: GameStreamPlane | undefined;
  if (options.isGamestreamOn) {
    plane = stack.use(await openGameStream(parts));
    lines.push(`GameStream listens on port ${plane.ports.http}; clients see "${hostName}"`);
  }

  const facade: HostApi = new HostApi({
    hostName,
    uniqueId: stores.uniqueId,
    fingerprint: stores.native.fingerprint,
    codecs: SOFTWARE_CAPABILITIES.codecs,
    managementPort: () => api.port,
    clients: stores.clients,
    trust: stores.trust,
    displays: await listDisplayBackends({ environment: environment.env, clock }),
    display: backends.display,
    plane,
    nativePlane,
    quicReason,
    ring: environment.ring,
    clock,
  });
  const api: ApiServer = await namingPortOwner({
    transport: "tcp",
    port: options.managementBind.port,
    flag: "--mgmt-bind",
  }, () =>
    openApi({
      bind: options.managementBind,
      identity: stores.native,
      facade,
      token: stores.token,
      logger,
    }));
  stack.defer(() => api.close());
  await writeManagementEndpoint(environment.directories.config, api.port);
  lines.push(`Management API listens on port ${api.port}`);
  if (options.isMdnsOn) {
    await announce({ parts, nativePort: nativePlane.port, managementPort: api.port, plane, stack });
  }
  logger.info("host.started", { gamestream: options.isGamestreamOn, management: api.port });

  const ended = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;
  return {
    summary: { lines },
    ended: ended.promise,
    close() {
      closing ??= stack.disposeAsync().then(ended.resolve, ended.reject).then(() => ended.promise);
      return closing;
    },
  };
}

interface WantedPort {
  readonly transport: "tcp" | "udp";
  readonly port: number;
  /** With which another one is chosen. */
  readonly flag: string;
}

/** Where a port is taken, says by whom, as far as this user may see, and what to do. */
async function namingPortOwner<T>(
  { transport, port, flag }: WantedPort,
  open: () => T | Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== "port-in-use") throw error;
    const owner = await findPortOwner(port, transport);
    const by = owner === undefined ? "" : ` by ${owner}`;
    throw new OperationError(error.code, `${error.message}${by}`, {
      remedy: `End the other host, or choose another port with ${flag}`,
      cause: error.options.cause,
    });
  }
}

async function openStores(environment: HostEnvironment): Promise<Stores> {
  const { directories, logger, env, clock } = environment;
  const directory = directories.config;
  await ensurePrivateDirectory(directory);
  const nowMs = () => clock.wallMs();
  const clients = await GameStreamClients.open(directory, { nowMs });
  const uniqueId = await openHostId(directory);
  const { token, notice } = await openManagementToken(directory, { nowMs });
  const { trust, identity: native } = await openNativeStores(environment);
  for (const text of [...clients.notices, notice]) {
    if (text !== undefined) logger.warn("host.notice", { text });
  }
  return {
    clients,
    trust,
    uniqueId,
    native,
    token: env.get("PUNKTFUNK_MGMT_TOKEN") ?? token,
  };
}

/** Warn of other hosts that run or start by themselves. Never rejects, and ends in time. */
async function reportConflicts({ env, logger, clock }: HostEnvironment): Promise<void> {
  using machine = openMachine();
  const results = await runChecks([conflictCheck({ env, machine })], { clock });
  for (const { state, summary, remedy } of results) {
    if (state === "ok") continue;
    logger.warn("host.conflict", { detail: summary, remedy: remedy?.replaceAll("\n", "; ") });
  }
}

interface PlaneParts {
  readonly options: HostOptions;
  readonly environment: HostEnvironment;
  readonly stores: Stores;
  readonly backends: Backends;
  readonly hostName: string;
  readonly nextSessionId: () => number;
}

async function openNative(
  { options, environment, stores, backends, nextSessionId }: PlaneParts,
  managementPort: () => number,
) {
  const port = { transport: "udp", port: options.nativePort, flag: "--native-port" } as const;
  return await namingPortOwner(port, () =>
    openNativePlane({
      port: options.nativePort,
      idleTimeoutMs: options.idleTimeoutMs,
      policy: options.pairingPolicy,
      trust: stores.trust,
      identity: stores.native,
      display: backends.display,
      audio: backends.audio,
      capabilities: SOFTWARE_CAPABILITIES,
      fecPercent: options.fecPercent,
      videoDropPercent: options.videoDropPercent,
      delivery: options.delivery,
      mtuBytes: options.mtuBytes,
      isChaChaAllowed: options.isChaChaAllowed,
      rampMsMax: RAMP_MS_MAX,
      fecScheme: "gf65536",
      dataPort: options.dataPort,
      managementPort,
      sessionsMax: NATIVE_SESSIONS_MAX,
      sessionsTotal: 0,
      test: undefined,
      clock: environment.clock,
      logger: environment.logger,
      nextSessionId,
    }));
}

/** Tell the network of both planes. Announcing takes a second, which nobody has to wait for. */
async function announce({ parts, nativePort, managementPort, plane, stack }: {
  readonly parts: PlaneParts;
  readonly nativePort: number;
  readonly managementPort: number;
  readonly plane: GameStreamPlane | undefined;
  readonly stack: AsyncDisposableStack;
}): Promise<void> {
  const { options, environment, stores, hostName } = parts;
  const mdns = stack.use(await openHostMdns(environment));
  void mdns.advertise(nativeAdvert({
    hostName,
    port: nativePort,
    fingerprint: stores.native.fingerprint,
    policy: options.pairingPolicy,
    uniqueId: stores.uniqueId,
    managementPort,
  }));
  if (plane === undefined) return;
  void mdns.advertise({
    instanceName: instanceNameOf(hostName),
    type: "nvstream",
    protocol: "tcp",
    port: plane.ports.http,
    txt: {},
  });
}

async function openGameStream(
  { options, environment, stores, backends, hostName, nextSessionId }: PlaneParts,
): Promise<GameStreamPlane> {
  const { logger, clock, directories } = environment;
  const { identity, notice } = await openIdentity(directories.config, {
    kind: "gamestream",
    hasPairings: stores.clients.size > 0,
    machineName: Deno.hostname(),
  });
  const { apps, notice: appsNotice } = await openApps(directories.config);
  for (const text of [notice, appsNotice]) {
    if (text !== undefined) logger.warn("host.notice", { text });
  }
  return await GameStreamPlane.open({
    bind: "0.0.0.0",
    portBase: options.gamestreamPortBase,
    hostName,
    uniqueId: stores.uniqueId,
    fecPercent: options.fecPercent,
    videoDropPercent: options.videoDropPercent,
    identity,
    clients: stores.clients,
    apps,
    capabilities: SOFTWARE_CAPABILITIES,
    display: backends.display,
    audio: backends.audio,
    clock,
    logger,
    nextSessionId,
  });
}
