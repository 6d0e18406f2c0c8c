/**
 * What a run of the probe found, as `probe --json` prints it. Units are in the names; null is "not known".
 *
 * @module
 */
import { toHex } from "../lib/bytes.ts";
import { describeError } from "../lib/errors.ts";
import { CLOSE_CODES } from "../protocol/punktfunk1/close_codes.ts";
import type { Welcome } from "../protocol/punktfunk1/welcome.ts";
import { sealSecretsOf } from "../protocol/punktfunk1/welcome_secrets.ts";
import type { QuicClose } from "../quic/ports.ts";
import { closeWord } from "./close.ts";
import type { HostAddress } from "./dial.ts";
import type { LinkProbeResult } from "./link_probe.ts";
import type { PacketOpener } from "./packet_opener.ts";
import type { ProbeSession, StreamEnd } from "./session.ts";
import type { Distribution, Samples } from "./statistics.ts";

/** Who talked to whom, known before a stream begins. */
export interface ProbeContact {
  readonly host: HostAddress;
  readonly quic: string;
  readonly hostFingerprint: Uint8Array;
  /** How this client is known to the host. */
  readonly identity: "certificate" | "device-key";
  /** SHA-256 that the host knows it by. */
  readonly clientFingerprint: Uint8Array;
  readonly isPaired: boolean;
}

export interface ContactResult {
  readonly address: string;
  readonly port: number;
  readonly quic: string;
  readonly fingerprint: string;
  readonly identity: string;
  readonly client_fingerprint: string;
  /** Whether this run paired. */
  readonly paired: boolean;
}

/** Everything that was streamed. */
export interface StreamResult {
  /** Welcome without its secrets. */
  readonly terms: Readonly<Record<string, string | number | boolean>>;
  readonly end: StreamEnd;
  /** What closed the connection: a word of the protocol, "idle" or "transport". */
  readonly close: string;
  readonly frames: {
    readonly expected: number | null;
    readonly received: number;
    readonly lost: number;
    /** Frames that parity completed. */
    readonly recovered: number;
    /** Frames checked byte by byte, and those of them that were wrong. */
    readonly verified: number;
    readonly wrong: number;
    readonly key: number;
  };
  readonly packets: {
    readonly received: number;
    readonly refused: number;
    readonly late: number;
    readonly duplicate: number;
    readonly forged: number;
    readonly replayed: number;
    readonly recovered_shards: number;
    /** Lost on this machine, because they were not fetched in time. */
    readonly overflowed: number;
  };
  readonly duration_ms: number;
  readonly video_kbps: number;
  /** Everything on the data socket, parity, seals and filler of link probes included. */
  readonly wire_kbps: number;
  readonly granted_kbps: number;
  readonly gaps_ms: Distribution | null;
  /** From capture, by the host's clock, to the complete frame here. */
  readonly latency_ms: Distribution | null;
  /** From a frame's first packet to its delivery. */
  readonly assembly_ms: Distribution | null;
  /** What the host took for a frame, as it tells. */
  readonly host_ms: Distribution | null;
  /** From drawing, by the strips in the picture, to the complete frame here; only on one machine. */
  readonly drawn_to_received_ms: Distribution | null;
  readonly clock: { readonly offset_us: number | null; readonly rtt_us: number | null };
  /** Of the QUIC stack; 0 from one that does not tell. */
  readonly rtt_ms: number;
  readonly sound: {
    readonly packets: number;
    readonly lost: number;
    readonly recovered: number;
    readonly stale: number;
    readonly damaged: number;
    readonly bytes: number;
    /** Greatest decoded sample, 0…1; null when nothing was decoded. */
    readonly peak: number | null;
  };
  readonly link: LinkProbeResult | null;
  readonly sent: { readonly input_events: number; readonly microphone_packets: number };
  readonly feedback_datagrams: number;
  /** Kinds of control messages that came besides answers, in their order. */
  readonly notes: readonly { readonly at_ms: number; readonly kind: string }[];
}

export interface ProbeResult {
  /** Everything asked for came, and what can be checked is right. */
  readonly ok: boolean;
  /** Sentences without full stops; empty when `ok`. */
  readonly problems: readonly string[];
  readonly host: ContactResult;
  /** Null when the run only paired. */
  readonly stream: StreamResult | null;
}

export function contactResult(contact: ProbeContact): ContactResult {
  return {
    ...contact.host,
    quic: contact.quic,
    fingerprint: toHex(contact.hostFingerprint),
    identity: contact.identity,
    client_fingerprint: toHex(contact.clientFingerprint),
    paired: contact.isPaired,
  };
}

/** The result of a session that is over. */
export function streamResult(session: ProbeSession, parts: {
  readonly opener: Pick<PacketOpener, "stats" | "receivedBytes" | "overflowed">;
  readonly drawnToReceived: Samples;
  readonly hasDecodedSound: boolean;
}): StreamResult {
  const { video, sound, clockSync } = session;
  const { statistics, packets } = video;
  const { opener } = parts;
  const { offsetNs, rttNs } = clockSync.estimate;
  return {
    terms: termsOf(session.welcome),
    end: session.end ?? "failed",
    close: session.close === undefined ? "transport" : closeWord(session.close),
    frames: {
      expected: session.expectedFrames ?? null,
      received: statistics.frames,
      lost: lostFrames(session),
      recovered: statistics.recoveredFrames,
      verified: video.verifiedFrames + video.wrongFrames,
      wrong: video.wrongFrames,
      key: statistics.keyFrames,
    },
    packets: {
      received: packets.packets,
      refused: packets.refusedPackets + opener.stats.misshapen,
      late: packets.latePackets,
      duplicate: packets.duplicatePackets,
      forged: opener.stats.forged,
      replayed: opener.stats.replayed,
      recovered_shards: packets.recoveredShards,
      overflowed: opener.overflowed,
    },
    duration_ms: statistics.durationMs,
    video_kbps: statistics.videoKbps(),
    wire_kbps: statistics.durationMs === 0 ? 0 : opener.receivedBytes * 8 / statistics.durationMs,
    granted_kbps: session.grantedKbps,
    gaps_ms: statistics.gaps.distribution(),
    latency_ms: statistics.latency.distribution(),
    assembly_ms: statistics.assembly.distribution(),
    host_ms: session.hostTiming.distribution(),
    drawn_to_received_ms: parts.drawnToReceived.distribution(),
    clock: {
      offset_us: clockSync.isKnown ? Number(offsetNs) / 1000 : null,
      rtt_us: rttNs === undefined ? null : Number(rttNs) / 1000,
    },
    rtt_ms: session.roundTripUs / 1000,
    sound: {
      packets: sound.stats.packets,
      lost: sound.lost,
      recovered: sound.stats.recovered,
      stale: sound.stats.stale,
      damaged: sound.stats.damaged,
      bytes: sound.stats.bytes,
      peak: parts.hasDecodedSound ? sound.stats.peak : null,
    },
    link: session.linkProbe?.result ?? null,
    sent: { input_events: session.inputEvents, microphone_packets: session.microphonePackets },
    feedback_datagrams: session.feedbackDatagrams,
    notes: session.notes.map(({ atMs, message }) => ({ at_ms: atMs, kind: message.kind })),
  };
}

/** Why a finished session is no success; nothing when it is one. */
export function problemsOf(session: ProbeSession): readonly string[] {
  const { video, expectedFrames, end, failure, close, linkProbe } = session;
  const received = video.statistics.frames;
  const problems: string[] = [];
  if (failure !== undefined) problems.push(describeError(failure));
  if (received === 0) problems.push("No frame came");
  if (end === "silence" && received > 0) problems.push("Frames stopped coming");
  const isBroken = end === "host-closed" && close !== undefined && !isOrderly(close);
  if (isBroken) problems.push(`The host ended the session: ${closeWord(close)}`);
  if (expectedFrames !== undefined && received < expectedFrames) {
    problems.push(`Only ${received} of ${expectedFrames} frames came`);
  }
  // Test streams must be whole; of others only what was asked for must come.
  if (expectedFrames === undefined && video.isVerified && video.statistics.lostFrames > 0) {
    problems.push(`${video.statistics.lostFrames} frames of a test stream did not come`);
  }
  if (video.wrongFrames > 0) problems.push(`Frames with wrong bytes: ${video.wrongFrames}`);
  if (linkProbe !== undefined && linkProbe.result?.isAnswered !== true) {
    problems.push("The host did not measure the link");
  }
  return problems;
}

/** Frames that will never come, those at the end of a stream of known length included. */
function lostFrames({ video, expectedFrames, welcome }: ProbeSession): number {
  const { frames, lostFrames } = video.statistics;
  if (welcome.frameCount === 0 || expectedFrames === undefined) return lostFrames;
  return Math.max(lostFrames, expectedFrames - frames);
}

function isOrderly({ kind, code }: QuicClose): boolean {
  return kind === "application" &&
    (code === CLOSE_CODES.done || code === CLOSE_CODES["game-exited"]);
}

function termsOf(welcome: Welcome): StreamResult["terms"] {
  return {
    width: welcome.mode.width,
    height: welcome.mode.height,
    refresh_hz: welcome.mode.refreshHz,
    codec: welcome.codec,
    bit_depth: welcome.bitDepth,
    chroma: welcome.chroma,
    bitrate_kbps: welcome.bitrateKbps,
    frames: welcome.frameCount,
    fec_scheme: welcome.fecScheme,
    fec_percent: welcome.fecPercent,
    block_data_shards: welcome.dataShardsMax,
    shard_payload_bytes: welcome.shardPayloadBytes,
    encrypted: welcome.isEncrypted,
    cipher: sealSecretsOf(welcome).cipher,
    audio_codec: welcome.audioCodec,
    audio_channels: welcome.audioChannels,
    audio_layout: welcome.audioLayout,
    host_caps: welcome.hostCaps,
    host_caps2: welcome.hostCaps2,
    grants: welcome.grants,
    expires_in_seconds: welcome.expiresInSeconds,
  };
}
