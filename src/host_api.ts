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
  SubmitPin,
} from "../api/schemas.ts";
import type { DisplayBackend } from "./display/ports.ts";
import { HostNativeApi } from "./host_native_api.ts";
import type { Clock } from "./lib/clock.ts";
import { OperationError } from "./lib/errors.ts";
import { CORE_ABI_VERSION, VERSION } from "./lib/version.ts";
import type { LogReader } from "./log/ring.ts";
import type { VideoCodec } from "./media/ports.ts";
import type { GameStreamPlane } from "./planes/gamestream/plane.ts";
import { PORT_OFFSETS } from "./planes/gamestream/plane.ts";
import { GAMESTREAM_APP_VERSION, GFE_VERSION } from "./protocol/gamestream/server_info.ts";
import type { GameStreamClient, GameStreamClients } from "./trust/gamestream_clients.ts";
import type { NativeTrust } from "./trust/native_trust.ts";

const PORT_BASE_DEFAULT = 47989;

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
      ports: { mgmt: managementPort(), ...(plane?.ports ?? defaultPorts()) },
    };
  }

  status(): RuntimeStatus {
    const { plane, clients, trust } = this.#options;
    const session = plane?.stream?.session;
    const rows = this.#sessionRows();
    const encoder = session?.plan.encoder;
    return {
      video_streaming: plane?.stream?.state === "streaming",
      audio_streaming: (session?.stats.audio?.units ?? 0) > 0,
      pin_pending: (plane?.pairing.pending().length ?? 0) > 0,
      paired_clients: clients.size,
      native_paired_clients: trust.clients.size,
      active_sessions: rows.length,
      sessions: rows,
      ...(session === undefined || encoder === undefined ? {} : {
        session_id: session.id,
        session: {
          width: encoder.widthPixels,
          height: encoder.heightPixels,
          fps: encoder.refreshMilliHz / 1000,
          capture: this.#options.display.id,
        },
        stream: {
          width: encoder.widthPixels,
          height: encoder.heightPixels,
          fps: encoder.refreshMilliHz / 1000,
          bitrate_kbps: encoder.bitrateKbps,
          packet_size: plane?.stream?.config?.packetSizeBytes ?? 0,
          min_fec: plane?.stream?.config?.minParityPackets ?? 0,
          codec: encoder.codec,
          ...(session.timeToFirstPacketMs === undefined
            ? {}
            : { time_to_first_frame_ms: session.timeToFirstPacketMs }),
        },
      }),
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
    await this.#options.plane?.stop("stopped-by-operator");
  }

  requestIdr(): void {
    const session = this.#options.plane?.stream?.session;
    if (session === undefined) {
      throw new OperationError("refused", "Cannot ask for a key frame: nothing streams");
    }
    session.requestIdr(0);
  }

  logs(after: number, limit: number): LogPage {
    const page = this.#options.ring.read(after, limit);
    return {
      entries: page.entries.map(({ tsMs, ...entry }) => ({ ...entry, ts_ms: tsMs })),
      next: page.next,
      dropped: page.dropped,
    };
  }

  #sessionRows(): RuntimeStatus["sessions"] {
    const stream = this.#options.plane?.stream;
    const session = stream?.session;
    if (stream === undefined || session === undefined) return [];
    const { widthPixels, heightPixels, refreshMilliHz } = session.plan.mode;
    const nowUs = this.#options.clock.monotonicUs();
    return [{
      id: session.id,
      plane: "gamestream",
      client: stream.origin.fingerprint,
      ...(stream.origin.name === "" ? {} : { client_name: stream.origin.name }),
      mode: `${widthPixels}x${heightPixels}@${refreshMilliHz / 1000}`,
      hdr: false,
      join: false,
      muted: false,
      pads: [],
      uptime_s: Math.max(0, Math.floor((nowUs - session.startedAtUs) / 1e6)),
    }];
  }

  #requirePlane(): GameStreamPlane {
    const { plane } = this.#options;
    if (plane !== undefined) return plane;
    throw new OperationError("refused", "Cannot pair: GameStream is off", {
      remedy: "Start the host with --gamestream",
    });
  }
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
