/**
 * What the control messages of the specification say, and messages of every kind.
 *
 * @module
 */
import fc from "fast-check";
import type { ControlMessage } from "../../../../src/protocol/punktfunk1/control.ts";
import { BITRATE_REASONS } from "../../../../src/protocol/punktfunk1/control_video.ts";
import { INTERFACE_KINDS } from "../../../../src/protocol/punktfunk1/control_link.ts";
import {
  CLIP_FETCH_STATUSES,
  CLIP_REASONS,
} from "../../../../src/protocol/punktfunk1/control_clipboard.ts";
import { LAUNCH_OUTCOMES } from "../../../../src/protocol/punktfunk1/control_access.ts";

const FULL_HD_120 = { width: 1920, height: 1080, refreshHz: 120 };

/** By the names of tests/vectors/punktfunk1-control.json. */
export const CONTROL_MEANINGS: Readonly<Record<string, ControlMessage>> = {
  "Reconfigure 1920×1080@120": { kind: "reconfigure", mode: FULL_HD_120 },
  "Reconfigured accepted, same mode": { kind: "reconfigured", isAccepted: true, mode: FULL_HD_120 },
  "RequestKeyframe": { kind: "request-keyframe" },
  "LossReport 0x01020304": { kind: "loss-report", lossPpm: 0x01020304 },
  "SetBitrate 50000": { kind: "set-bitrate", kbps: 50_000 },
  "BitrateChanged 50000, reason 2": {
    kind: "bitrate-changed",
    kbps: 50_000,
    reason: "encoder-behind",
  },
  "BitrateChanged 50000, no reason": { kind: "bitrate-changed", kbps: 50_000, reason: undefined },
  "RfiRequest 10…12": { kind: "rfi-request", firstFrame: 10, lastFrame: 12 },
  "ShardPayloadChanged 1200": { kind: "shard-payload-changed", shardPayloadBytes: 1200 },
  "ShardPayloadAck 1200": { kind: "shard-payload-ack", shardPayloadBytes: 1200 },
  "PipelineGap 250 ms": { kind: "pipeline-gap", gapMs: 250 },
  "DeliveryReport 0x0102030405060708": {
    kind: "delivery-report",
    packetsReceived: 0x0102030405060708n,
  },
  "LinkReport 0x0a0b0c0d": { kind: "link-report", provenKbps: 0x0a0b0c0d },
  "ProbeRequest 100000 kbps, 500 ms": {
    kind: "probe-request",
    targetKbps: 100_000,
    durationMs: 500,
  },
  "ProbeResult bytes 0x1122334455667788, 1, 2, 3, 4": {
    kind: "probe-result",
    bytes: 0x1122334455667788n,
    packets: 1,
    durationMs: 2,
    wireSent: 3,
    dropped: 4,
  },
  "ClockProbe t1 = 0x0102030405060708": { kind: "clock-probe", sentNs: 0x0102030405060708n },
  "ClockEcho 1, 2, 3": {
    kind: "clock-echo",
    probeSentNs: 1n,
    probeReceivedNs: 2n,
    echoSentNs: 3n,
  },
  "PhaseReport (0x0102030405060708, 8333333, 0x10, 0x20, 900)": {
    kind: "phase-report",
    nextLatchNs: 0x0102030405060708n,
    periodNs: 8_333_333,
    uncertaintyNs: 0x10,
    leadNs: 0x20,
    coherencePermille: 900,
  },
  "PhaseReport, 25-byte form": {
    kind: "phase-report",
    nextLatchNs: 0x0102030405060708n,
    periodNs: 8_333_333,
    uncertaintyNs: 0x10,
    leadNs: 0x20,
    coherencePermille: undefined,
  },
  "ClipControl enabled, files": { kind: "clip-control", isEnabled: true, wantsFiles: true },
  "ClipState enabled, policy 3, reason 4": {
    kind: "clip-state",
    isEnabled: true,
    allows: { text: true, files: true },
    reason: "no-files",
  },
  "ClipOffer seq 7, text/plain 5 bytes": {
    kind: "clip-offer",
    offerNumber: 7,
    formats: [{ mime: "text/plain", sizeBytes: 5n }],
  },
  "ClipFetch seq 7, no file index": {
    kind: "clip-fetch",
    offerNumber: 7,
    fileIndex: undefined,
    mime: "text/plain",
  },
  "ClipFetchHdr ok, 5": { kind: "clip-fetch-hdr", status: "ok", totalBytes: 5n },
  "CursorShape serial 9, 1×1, hot 0,0, RGBA 01020304": {
    kind: "cursor-shape",
    serial: 9,
    width: 1,
    height: 1,
    hotX: 0,
    hotY: 0,
    rgba: Uint8Array.of(1, 2, 3, 4),
  },
  "CursorRender client draws": { kind: "cursor-render", isDrawnByClient: true },
  "AccessUpdate 0x1f, 3600 s": { kind: "access-update", grants: 0x1f, remainingSeconds: 3600 },
  "AudioState muted": { kind: "audio-state", isMuted: true },
  'LaunchOutcome failed "gone"': { kind: "launch-outcome", outcome: "failed", message: "gone" },
  "PadSlots 5": { kind: "pad-slots", mask: 5 },
  "InputEdge key A up": {
    kind: "input-edge",
    event: Uint8Array.fromHex("c80141000000000000000000000000000000"),
  },
};

/** Kinds the specification has no vector for; their bytes are constructed from its table. */
export const CONTROL_WITHOUT_VECTOR: Readonly<Record<string, ControlMessage>> = {
  "504b46630d02": { kind: "set-delivery", profile: "smooth" },
  "504b46630e0101": { kind: "delivery-changed", profile: "capped", isForced: true },
  "504b46630f02e803000000080000ff": {
    kind: "host-facts",
    interfaceKind: "wifi",
    linkMbps: 1000,
    sendBufferKb: 2048,
    forcedProfile: "none",
  },
  "504b466322a0860100f40100003c00ce070000400d0300": {
    kind: "probe-shaped",
    targetKbps: 100_000,
    durationMs: 500,
    burstHz: 60,
    groupBytes: 0x7ce,
    groupRateKbps: 0x30d40,
  },
};

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const text = (charactersMax: number) => fc.string({ maxLength: charactersMax, unit: "binary" });
const word = <Word extends string>(table: Readonly<Record<Word, number>>) =>
  fc.constantFrom(...Object.keys(table) as Word[]);
const profile = fc.constantFrom("burst", "capped", "smooth");
const mode = fc.record({ width: u32, height: u32, refreshHz: u32 }, { noNullPrototype: true });
const orNone = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

type Kind = ControlMessage["kind"];
type BodyOf<K extends Kind> = Omit<Extract<ControlMessage, { kind: K }>, "kind">;
type Shape<Body> = { readonly [Key in keyof Body]: fc.Arbitrary<Body[Key]> };

const cursor = fc.integer({ min: 1, max: 120 }).chain((width) =>
  fc.record({
    serial: u32,
    width: fc.constant(width),
    height: fc.constant(3),
    hotX: u16,
    hotY: u16,
    rgba: u8.map((byte) => new Uint8Array(width * 3 * 4).fill(byte)),
  })
);

const SHAPES: { readonly [K in Exclude<Kind, "cursor-shape">]: Shape<BodyOf<K>> } = {
  "reconfigure": { mode },
  "reconfigured": { isAccepted: fc.boolean(), mode },
  "request-keyframe": {},
  "loss-report": { lossPpm: u32 },
  "set-bitrate": { kbps: u32 },
  "bitrate-changed": { kbps: u32, reason: orNone(word(BITRATE_REASONS)) },
  "rfi-request": { firstFrame: u32, lastFrame: u32 },
  "pipeline-gap": { gapMs: u32 },
  "shard-payload-changed": { shardPayloadBytes: u16 },
  "shard-payload-ack": { shardPayloadBytes: u16 },
  "delivery-report": { packetsReceived: u64 },
  "link-report": { provenKbps: u32 },
  "set-delivery": { profile },
  "delivery-changed": { profile, isForced: fc.boolean() },
  "host-facts": {
    interfaceKind: word(INTERFACE_KINDS),
    linkMbps: u32,
    sendBufferKb: u32,
    forcedProfile: fc.constantFrom("burst", "capped", "smooth", "none"),
  },
  "probe-request": { targetKbps: u32, durationMs: u32 },
  "probe-result": { bytes: u64, packets: u32, durationMs: u32, wireSent: u32, dropped: u32 },
  "probe-shaped": {
    targetKbps: u32,
    durationMs: u32,
    burstHz: u16,
    groupBytes: u32,
    groupRateKbps: u32,
  },
  "clock-probe": { sentNs: u64 },
  "clock-echo": { probeSentNs: u64, probeReceivedNs: u64, echoSentNs: u64 },
  "phase-report": {
    nextLatchNs: u64,
    periodNs: u32,
    uncertaintyNs: u32,
    leadNs: u32,
    coherencePermille: orNone(u16),
  },
  "clip-control": { isEnabled: fc.boolean(), wantsFiles: fc.boolean() },
  "clip-state": {
    isEnabled: fc.boolean(),
    allows: fc.record({ text: fc.boolean(), files: fc.boolean() }, { noNullPrototype: true }),
    reason: word(CLIP_REASONS),
  },
  "clip-offer": {
    offerNumber: u32,
    formats: fc.array(fc.record({ mime: text(32), sizeBytes: u64 }, { noNullPrototype: true }), {
      maxLength: 16,
    }),
  },
  "clip-fetch": {
    offerNumber: u32,
    fileIndex: orNone(fc.integer({ min: 0, max: 0xfffffffe })),
    mime: text(32),
  },
  "clip-fetch-hdr": { status: word(CLIP_FETCH_STATUSES), totalBytes: u64 },
  "cursor-render": { isDrawnByClient: fc.boolean() },
  "access-update": { grants: u32, remainingSeconds: u32 },
  "audio-state": { isMuted: fc.boolean() },
  "launch-outcome": { outcome: word(LAUNCH_OUTCOMES), message: text(50) },
  "pad-slots": { mask: u16 },
  "input-edge": {
    event: fc.uint8Array({ minLength: 18, maxLength: 18 }).map((bytes) => new Uint8Array(bytes)),
  },
};

/** Legal messages of every kind. */
export const CONTROL_MESSAGES: fc.Arbitrary<ControlMessage> = fc.oneof(
  cursor.map((body): ControlMessage => ({ kind: "cursor-shape", ...body })),
  ...Object.entries(SHAPES).map(([kind, shape]) =>
    fc.record(shape as Record<string, fc.Arbitrary<unknown>>, { noNullPrototype: true })
      .map((body) => ({ kind, ...body }) as ControlMessage)
  ),
);
