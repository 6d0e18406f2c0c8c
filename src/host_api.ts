/**
 * What the management API sees of the host: state in the API's own shapes, and the few things it may do.
 *
 * @module
 */
import type { HostFacade } from "../api/host_facade.ts";
import type {
  Compositor,
  Health,
  HostInfo,
  LogPage,
  PairedClient,
  PairStatus,
  RuntimeStatus,
  SessionAccess,
  SetSessionAccess,
  SubmitPin,
} from "../api/schemas.ts";
import type { DisplayBackend } from "./display/ports.ts";
import { HostNativeApi } from "./host_native_api.ts";
import { firstSession, flowOf, sessionRows, sessionsOf, type StatusParts } from "./host_status.ts";
import type { Clock } from "./lib/clock.ts";
import { OperationError } from "./lib/errors.ts";
import { CORE_ABI_VERSION, VERSION } from "./lib/version.ts";
import type { LogReader } from "./log/ring.ts";
import type { VideoCodec } from "./media/ports.ts";
import type { GameStreamPlane } from "./planes/gamestream/plane.ts";
import { PORT_OFFSETS } from "./planes/gamestream/plane.ts";
import type { NativePlane } from "./planes/native/plane.ts";
import type { NativeStream, StreamEnd } from "./planes/native/stream.ts";
import { GAMESTREAM_APP_VERSION, GFE_VERSION } from "./protocol/gamestream/server_info.ts";
import { accessLevelOf, grantsOfPreset, requireGrants } from "./trust/access.ts";
import type { GameStreamClient, GameStreamClients } from "./trust/gamestream_clients.ts";
import type { NativeTrust } from "./trust/native_trust.ts";

const PORT_BASE_DEFAULT = 47989;

const STOPPED: StreamEnd = {
  end: "stopped-by-operator",
  close: "done",
  reason: "The operator stopped the session",
};

export interface HostApiOptions {
  readonly hostName: string;
  readonly uniqueId: string;
  /** Of the native identity. */
  readonly fingerprint: string;
  readonly codecs: readonly VideoCodec[];
  /** Asked for when it is needed: the API is opened with this object. */
  readonly managementPort: () => number;
  readonly clients: GameStreamClients;
  readonly trust: NativeTrust;
  readonly displays: readonly DisplayBackend[];
  readonly display: DisplayBackend;
  readonly plane: GameStreamPlane | undefined;
  readonly nativePlane: NativePlane;
  /** Which QUIC stack runs and why, one sentence. */
  readonly quicReason: string;
  readonly ring: LogReader;
  readonly clock: Clock;
}

export class HostApi implements HostFacade {
  readonly #options: HostApiOptions;
  readonly native: HostNativeApi;

  constructor(options: HostApiOptions) {
    this.#options = options;
    this.native = new HostNativeApi(options);
  }

  health(): Health {
    return { status: "ok", version: VERSION, abi_version: CORE_ABI_VERSION };
  }

  hostInfo(): HostInfo {
    const { hostName, uniqueId, fingerprint, codecs, plane, managementPort } = this.#options;
    const { nativePlane, quicReason } = this.#options;
    return {
      hostname: hostName,
      uniqueid: uniqueId,
      local_ip: localAddress(),
      version: VERSION,
      abi_version: CORE_ABI_VERSION,
      app_version: GAMESTREAM_APP_VERSION,
      gfe_version: GFE_VERSION,
      os: Deno.build.os,
      os_name: `${Deno.build.os} ${Deno.osRelease()}`,
      codecs: [...codecs],
      gamestream: plane !== undefined,
      fingerprint,
      quic: {
        stack: nativePlane.listener.adapter,
        client_certificates: nativePlane.listener.asksForClientCertificate,
        detail: quicReason,
      },
      ports: {
        mgmt: managementPort(),
        native: nativePlane.port,
        ...(plane?.ports ?? defaultPorts()),
      },
    };
  }

  status(): RuntimeStatus {
    const { plane, clients, trust } = this.#options;
    const parts = this.#statusParts();
    const rows = sessionRows(parts);
    const { isVideoFlowing, isAudioFlowing } = flowOf(parts);
    return {
      video_streaming: isVideoFlowing,
      audio_streaming: isAudioFlowing,
      pin_pending: (plane?.pairing.pending().length ?? 0) > 0,
      paired_clients: clients.size,
      native_paired_clients: trust.clients.size,
      active_sessions: rows.length,
      sessions: rows,
      ...firstSession(parts),
      games: [],
    };
  }

  async compositors(): Promise<Compositor[]> {
    const { displays, display } = this.#options;
    return await Promise.all(displays.map(async (backend) => ({
      id: backend.id,
      label: backend.label,
      available: (await backend.probe()).isAvailable,
      default: backend.id === display.id,
    })));
  }

  pairStatus(): PairStatus {
    const pending = this.#options.plane?.pairing.pending() ?? [];
    return {
      pin_pending: pending.length > 0,
      pending: pending.map((one) => ({
        uniqueid: one.uniqueId,
        fingerprint: one.fingerprint,
        peer_ip: one.peerIp,
      })),
    };
  }

  submitPin(pin: SubmitPin): void {
    const { uniqueid, fingerprint, peer_ip, label } = pin;
    this.#requirePlane().pairing.submitPin({
      pin: pin.pin,
      ...(label === undefined ? {} : { label }),
      ...(uniqueid === undefined ? {} : { uniqueId: uniqueid }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(peer_ip === undefined ? {} : { peerIp: peer_ip }),
    });
  }

  clients(): PairedClient[] {
    return this.#options.clients.list().map(pairedClient);
  }

  async renameClient(fingerprint: string, label: string | null): Promise<PairedClient> {
    return pairedClient(await this.#options.clients.rename(fingerprint, label ?? undefined));
  }

  async unpairClient(fingerprint: string): Promise<void> {
    await this.#options.clients.remove(fingerprint);
    await this.#options.plane?.unpaired(fingerprint);
  }

  async unpairAllClients(): Promise<number> {
    const fingerprints = this.#options.clients.list().map((client) => client.fingerprint);
    const count = await this.#options.clients.removeAll();
    for (const fingerprint of fingerprints) await this.#options.plane?.unpaired(fingerprint);
    return count;
  }

  async stopSessions(): Promise<void> {
    await Promise.all([
      this.#options.plane?.stop("stopped-by-operator"),
      this.#options.nativePlane.endStreams(STOPPED),
    ]);
  }

  requestIdr(): void {
    const sessions = sessionsOf(this.#statusParts());
    if (sessions.length === 0) {
      throw new OperationError("refused", "Cannot ask for a key frame: nothing streams");
    }
    for (const session of sessions) session.requestIdr(0);
  }

  async stopSession(id: number): Promise<void> {
    const { plane, nativePlane } = this.#options;
    if (plane?.stream?.session?.id === id) return await plane.stop("stopped-by-operator");
    if (await nativePlane.endStreams(STOPPED, id) === 0) throw noSession();
  }

  requestSessionIdr(id: number): void {
    const session = sessionsOf(this.#statusParts()).find((one) => one.id === id);
    if (session === undefined) throw noSession();
    session.requestIdr(0);
  }

  muteSession(id: number, isMuted: boolean): void {
    this.#nativeStream(id).setMuted(isMuted);
  }

  setSessionAccess(id: number, { level, grants }: SetSessionAccess): SessionAccess {
    if ((level === undefined) === (grants === undefined)) {
      throw new OperationError("invalid", "Cannot change access: give a level or grants");
    }
    const stream = this.#nativeStream(id);
    stream.limitGrants(level === undefined ? requireGrants(grants ?? 0) : grantsOfPreset(level));
    return { grants: stream.grants, level: accessLevelOf(stream.grants) };
  }

  logs(after: number, limit: number): LogPage {
    const page = this.#options.ring.read(after, limit);
    return {
      entries: page.entries.map(({ tsMs, ...entry }) => ({ ...entry, ts_ms: tsMs })),
      next: page.next,
      dropped: page.dropped,
    };
  }

  #statusParts(): StatusParts {
    const { plane, nativePlane, trust, display, clock } = this.#options;
    return {
      gamestream: plane,
      native: nativePlane,
      nativeClients: trust.clients,
      capture: display.id,
      nowUs: clock.monotonicUs(),
    };
  }

  /** Throws OperationError "not-found", or "refused" for a Moonlight session. */
  #nativeStream(id: number): NativeStream {
    const { plane, nativePlane } = this.#options;
    const stream = nativePlane.streams.find((one) => one.id === id);
    if (stream !== undefined) return stream;
    if (plane?.stream?.session?.id !== id) throw noSession();
    throw new OperationError(
      "refused",
      "Cannot change a Moonlight session: its client has no word for it",
    );
  }

  #requirePlane(): GameStreamPlane {
    const { plane } = this.#options;
    if (plane !== undefined) return plane;
    throw new OperationError("refused", "Cannot pair: GameStream is off", {
      remedy: "Start the host with --gamestream",
    });
  }
}

function noSession(): OperationError {
  return new OperationError("not-found", "Cannot find session: no such id runs");
}

function pairedClient(client: GameStreamClient): PairedClient {
  return {
    fingerprint: client.fingerprint,
    ...(client.label === undefined ? {} : { label: client.label }),
    ...(client.subject === undefined ? {} : { subject: client.subject }),
    ...(client.notBeforeUnix === undefined ? {} : { not_before_unix: client.notBeforeUnix }),
    ...(client.notAfterUnix === undefined ? {} : { not_after_unix: client.notAfterUnix }),
  };
}

function defaultPorts(): Readonly<Record<keyof typeof PORT_OFFSETS, number>> {
  const port = (offset: number) => PORT_BASE_DEFAULT + offset;
  const { http, https, rtsp, video, control, audio } = PORT_OFFSETS;
  return {
    http: port(http),
    https: port(https),
    rtsp: port(rtsp),
    video: port(video),
    control: port(control),
    audio: port(audio),
  };
}

/** The first address other machines may reach, else loopback. Read anew each time: networks come and go. */
function localAddress(): string {
  const found = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  return found?.address ?? "127.0.0.1";
}
