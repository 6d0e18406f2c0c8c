/**
 * What streams now, on every plane, in the management API's shapes.
 *
 * @module
 */
import type { RuntimeStatus, SessionRow } from "../api/schemas.ts";
import type { GameStreamPlane } from "./planes/gamestream/plane.ts";
import type { NativePlane } from "./planes/native/plane.ts";
import type { NativeStream } from "./planes/native/stream.ts";
import type { Session } from "./session/session.ts";
import { accessLevelOf } from "./trust/access.ts";
import type { NativeClients } from "./trust/native_clients.ts";

export interface StatusParts {
  readonly gamestream: GameStreamPlane | undefined;
  readonly native: NativePlane;
  readonly nativeClients: NativeClients;
  /** Id of the display backend, as captures are named. */
  readonly capture: string;
  readonly nowUs: number;
}

/** One row a session, the older first on each plane. */
export function sessionRows(parts: StatusParts): SessionRow[] {
  return [...gamestreamRows(parts), ...nativeRows(parts)];
}

/** Whether any client gets pictures, and whether any gets sound. */
export function flowOf({ gamestream, native }: StatusParts): {
  readonly isVideoFlowing: boolean;
  readonly isAudioFlowing: boolean;
} {
  const sessions = sessionsOf({ gamestream, native });
  return {
    isVideoFlowing: gamestream?.stream?.state === "streaming" ||
      native.streams.some((stream) => stream.isStreaming),
    isAudioFlowing: sessions.some((session) => (session.stats.audio?.units ?? 0) > 0),
  };
}

/** What a page with room for one session shows: the oldest. */
export function firstSession(
  parts: StatusParts,
): Pick<RuntimeStatus, "session_id" | "session" | "stream"> {
  const session = sessionsOf(parts)[0];
  if (session === undefined) return {};
  const { plan } = session;
  const { widthPixels: width, heightPixels: height, refreshMilliHz } = plan.encoder;
  const config = parts.gamestream?.stream?.session === session
    ? parts.gamestream.stream.config
    : undefined;
  const fps = refreshMilliHz / 1000;
  return {
    session_id: session.id,
    session: { width, height, fps, capture: parts.capture },
    stream: {
      width,
      height,
      fps,
      bitrate_kbps: plan.encoder.bitrateKbps,
      packet_size: config?.packetSizeBytes ?? 0,
      min_fec: config?.minParityPackets ?? 0,
      codec: plan.encoder.codec,
      ...(session.timeToFirstPacketMs === undefined
        ? {}
        : { time_to_first_frame_ms: session.timeToFirstPacketMs }),
    },
  };
}

/** Sessions that have everything open, GameStream's first. */
export function sessionsOf(
  { gamestream, native }: Pick<StatusParts, "gamestream" | "native">,
): Session[] {
  return [gamestream?.stream?.session, ...native.streams.map((stream) => stream.session)]
    .filter((session) => session !== undefined);
}

function gamestreamRows({ gamestream, nowUs }: StatusParts): SessionRow[] {
  const stream = gamestream?.stream;
  const session = stream?.session;
  if (stream === undefined || session === undefined) return [];
  return [{
    ...rowOf(session, nowUs),
    plane: "gamestream",
    client: stream.origin.fingerprint,
    ...(stream.origin.name === "" ? {} : { client_name: stream.origin.name }),
    muted: false,
  }];
}

function nativeRows({ native, nativeClients, nowUs }: StatusParts): SessionRow[] {
  return native.streams.flatMap((stream) => {
    const { session, client } = stream;
    if (session === undefined) return [];
    const { fingerprint } = client;
    const known = fingerprint === undefined ? undefined : nativeClients.get(fingerprint);
    return [{
      ...rowOf(session, nowUs),
      plane: "native" as const,
      client: fingerprint ?? "",
      ...nameOf(stream, known?.name),
      muted: stream.isMuted,
      access_level: accessLevelOf(stream.grants),
    }];
  });
}

function nameOf({ client }: NativeStream, known: string | undefined) {
  // A stranger's own words are not shown where an operator reads names.
  return known === undefined || client.fingerprint === undefined ? {} : { client_name: known };
}

function rowOf(session: Session, nowUs: number) {
  const { widthPixels, heightPixels, refreshMilliHz } = session.plan.mode;
  return {
    id: session.id,
    mode: `${widthPixels}x${heightPixels}@${refreshMilliHz / 1000}`,
    hdr: false,
    join: false,
    pads: [],
    uptime_s: Math.max(0, Math.floor((nowUs - session.startedAtUs) / 1e6)),
  };
}
