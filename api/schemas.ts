/**
 * The shapes of the management API (product specification 4.3), each once: validation, documentation and types come
 * from here. Names on the wire are snake_case.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";

const uint = z.int().min(0);
const port = z.int().min(1).max(65_535);

/** SHA-256 of a certificate's DER. Either case on input, lower case on output. */
export const Fingerprint = z.string().regex(/^[0-9a-fA-F]{64}$/, "must be 64 hex digits")
  .transform((text) => text.toLowerCase())
  .openapi({ type: "string", pattern: "^[0-9a-fA-F]{64}$", example: "ab".repeat(32) });

export const Label = z.string().trim().min(1).max(64);

export const ErrorBody = z.object({ error: z.string() }).openapi("Error");

export const Health = z.object({
  status: z.literal("ok"),
  version: z.string(),
  abi_version: uint,
}).openapi("Health");

export const HostInfo = z.object({
  hostname: z.string(),
  uniqueid: z.string(),
  local_ip: z.string(),
  version: z.string(),
  abi_version: uint,
  app_version: z.string(),
  gfe_version: z.string(),
  os: z.string().openapi({ example: "linux/fedora/bazzite" }),
  os_name: z.string(),
  codecs: z.array(z.enum(["h264", "hevc", "av1", "pyrowave"])),
  gamestream: z.boolean(),
  fingerprint: z.string().optional(),
  quic: z.object({
    stack: z.enum(["quinn", "deno"]),
    client_certificates: z.boolean().openapi({
      description: "Whether native apps, which pair by their certificate, can pair",
    }),
    detail: z.string(),
  }),
  ports: z.object({
    mgmt: port,
    native: port,
    http: port,
    https: port,
    rtsp: port,
    video: port,
    control: port,
    audio: port,
  }),
}).openapi("HostInfo");

export const SessionRow = z.object({
  id: z.int().min(1).optional(),
  plane: z.enum(["native", "gamestream"]),
  client: z.string(),
  client_name: z.string().optional(),
  mode: z.string().openapi({ example: "1920x1080@60" }),
  hdr: z.boolean(),
  join: z.boolean(),
  muted: z.boolean(),
  pads: z.array(uint),
  preferred_pad_slot: uint.optional(),
  access_level: z.enum(["full", "controller", "view", "custom"]).optional(),
  uptime_s: uint,
}).openapi("SessionRow");

export const SessionId = z.coerce.number().pipe(z.int().min(1)).openapi({
  type: "integer",
  minimum: 1,
  description: "As `GET /api/v1/status` lists it",
});

export const SetSessionAudio = z.strictObject({ muted: z.boolean() }).openapi("SetSessionAudio");

/** One of the two. */
export const SetSessionAccess = z.strictObject({
  level: z.enum(["full", "controller", "view"]).optional(),
  grants: z.int().min(0).max(0xffff_ffff).optional(),
}).openapi("SetSessionAccess");

/** As it is after clamping to what the device may do. */
export const SessionAccess = z.object({
  grants: uint,
  level: z.enum(["full", "controller", "view", "custom"]),
}).openapi("SessionAccess");

export const StreamInfo = z.object({
  width: uint,
  height: uint,
  fps: z.number().min(0),
  bitrate_kbps: uint,
  packet_size: uint,
  min_fec: uint,
  codec: z.enum(["h264", "hevc", "av1", "pyrowave"]),
  time_to_first_frame_ms: uint.optional(),
  last_resize_ms: uint.optional(),
}).openapi("StreamInfo");

export const ActiveGame = z.object({
  client: z.string(),
  title: z.string(),
  plane: z.enum(["native", "gamestream"]),
  state: z.enum(["launching", "running", "window", "exited", "untracked", "grace"]),
  app_id: z.string().optional(),
  store: z.string().optional(),
  session_id: z.int().min(1).optional(),
  grace_remaining_s: uint.optional(),
  awaiting_window: z.boolean().optional(),
}).openapi("ActiveGame");

export const RuntimeStatus = z.object({
  video_streaming: z.boolean(),
  audio_streaming: z.boolean(),
  pin_pending: z.boolean(),
  paired_clients: uint,
  native_paired_clients: uint,
  active_sessions: uint,
  sessions: z.array(SessionRow),
  session: z.object({
    width: uint,
    height: uint,
    fps: z.number().min(0),
    capture: z.string().optional(),
  }).optional(),
  session_id: z.int().min(1).optional(),
  stream: StreamInfo.optional(),
  games: z.array(ActiveGame),
}).openapi("RuntimeStatus");

export const Compositor = z.object({
  id: z.string(),
  label: z.string(),
  available: z.boolean(),
  default: z.boolean(),
}).openapi("Compositor");

export const PendingHandshake = z.object({
  uniqueid: z.string(),
  fingerprint: z.string(),
  peer_ip: z.string(),
}).openapi("PendingHandshake");

export const PairStatus = z.object({
  pin_pending: z.boolean(),
  pending: z.array(PendingHandshake),
}).openapi("PairStatus");

/** Without an address the PIN goes to the one handshake that waits; with one, to exactly that handshake. */
export const SubmitPin = z.strictObject({
  pin: z.string().regex(/^[0-9]{4}$/, "must be four digits"),
  uniqueid: z.string().min(1).max(64).optional(),
  fingerprint: Fingerprint.optional(),
  peer_ip: z.string().min(1).max(64).optional(),
  label: Label.optional(),
}).refine(
  ({ uniqueid, fingerprint, peer_ip }) =>
    [uniqueid, fingerprint, peer_ip].every((part) => part === undefined) ||
    [uniqueid, fingerprint, peer_ip].every((part) => part !== undefined),
  "uniqueid, fingerprint and peer_ip come together or not at all",
).openapi("SubmitPin");

export const PairedClient = z.object({
  fingerprint: z.string(),
  label: z.string().optional(),
  subject: z.string().optional(),
  not_before_unix: z.int().optional(),
  not_after_unix: z.int().optional(),
}).openapi("PairedClient");

/** null clears the label. */
export const RenameClient = z.strictObject({ label: Label.nullable() })
  .openapi("RenameClient");

export const Unpaired = z.object({ unpaired: uint }).openapi("Unpaired");

/** Query texts are checked by pattern first, so that "1e3" and "" are not numbers. */
function queryNumber(low: number, high: number) {
  return z.string().regex(/^[0-9]{1,16}$/, "must be a whole number").transform(Number)
    .pipe(z.int().min(low).max(high))
    .openapi({ type: "integer", minimum: low, maximum: high });
}

export const LogQuery = z.object({
  after: queryNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  limit: queryNumber(1, 1000).optional(),
});

export const LogEntry = z.object({
  seq: uint,
  ts_ms: uint,
  level: z.enum(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]),
  target: z.string(),
  msg: z.string(),
}).openapi("LogEntry");

export const LogPage = z.object({
  entries: z.array(LogEntry),
  next: uint,
  dropped: z.boolean(),
}).openapi("LogPage");

export type Health = z.infer<typeof Health>;
export type HostInfo = z.infer<typeof HostInfo>;
export type SessionRow = z.infer<typeof SessionRow>;
export type SetSessionAccess = z.infer<typeof SetSessionAccess>;
export type SessionAccess = z.infer<typeof SessionAccess>;
export type StreamInfo = z.infer<typeof StreamInfo>;
export type ActiveGame = z.infer<typeof ActiveGame>;
export type RuntimeStatus = z.infer<typeof RuntimeStatus>;
export type Compositor = z.infer<typeof Compositor>;
export type PairStatus = z.infer<typeof PairStatus>;
export type PendingHandshake = z.infer<typeof PendingHandshake>;
export type SubmitPin = z.infer<typeof SubmitPin>;
export type PairedClient = z.infer<typeof PairedClient>;
export type LogPage = z.infer<typeof LogPage>;
