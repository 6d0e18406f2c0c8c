/**
 * Control messages about the network path (punktfunk/1 specification 6). Behind the type, little-endian:
 *
 *     08  shard-payload-changed  u16 bytes
 *     09  shard-payload-ack      u16 bytes
 *     0B  delivery-report        u64 packets
 *     0C  link-report            u32 kbit/s
 *     0D  set-delivery           u8 profile
 *     0E  delivery-changed       u8 profile, u8 forced
 *     0F  host-facts             u8 interface, u32 Mbit/s, u32 KiB, u8 forced profile, 0xFF none
 *     20  probe-request          u32 kbit/s, u32 ms
 *     21  probe-result           u64 bytes, u32 packets, u32 ms, maybe u32 sent, u32 dropped and what nobody knows
 *     22  probe-shaped           u32 kbit/s, u32 ms, u16 Hz, u32 bytes, u32 kbit/s
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { DELIVERY_PROFILES, deliveryProfile } from "./enums.ts";
import { choice, flag, structOf, u16, u32, u64, type ValueOf } from "./fields.ts";
import { fixedMessage, variableMessage } from "./message_codec.ts";

export const INTERFACE_KINDS = { "unknown": 0, "ethernet": 1, "wifi": 2, "other": 3 } as const;
export type InterfaceKind = keyof typeof INTERFACE_KINDS;

const FORCED_PROFILES = { ...DELIVERY_PROFILES, "none": 0xff } as const;

const shortResult = structOf({ bytes: u64, packets: u32, durationMs: u32 });
const result = structOf({
  bytes: u64,
  packets: u32,
  durationMs: u32,
  /** Packets that the kernel took. Old hosts tell neither number; then both are 0. */
  wireSent: u32,
  /** Packets that it did not take. */
  dropped: u32,
});
export type ProbeResult = ValueOf<typeof result>;

export const LINK_MESSAGES = {
  "shard-payload-changed": fixedMessage(0x08, { shardPayloadBytes: u16 }),
  "shard-payload-ack": fixedMessage(0x09, { shardPayloadBytes: u16 }),
  "delivery-report": fixedMessage(0x0b, {
    /** Since the session began. */
    packetsReceived: u64,
  }),
  "link-report": fixedMessage(0x0c, { provenKbps: u32 }),
  "set-delivery": fixedMessage(0x0d, { profile: deliveryProfile }),
  "delivery-changed": fixedMessage(0x0e, {
    profile: deliveryProfile,
    /** The host's policy won over the client's wish. */
    isForced: flag,
  }),
  "host-facts": fixedMessage(0x0f, {
    interfaceKind: choice(INTERFACE_KINDS, "unknown"),
    /** 0 is unknown, here and below. */
    linkMbps: u32,
    sendBufferKb: u32,
    forcedProfile: choice(FORCED_PROFILES, "none"),
  }),
  "probe-request": fixedMessage(0x20, { targetKbps: u32, durationMs: u32 }),
  "probe-result": variableMessage<ProbeResult>(0x21, {
    decode: decodeProbeResult,
    encode: encodeProbeResult,
  }),
  "probe-shaped": fixedMessage(0x22, {
    targetKbps: u32,
    durationMs: u32,
    /** 0 is a smooth train. */
    burstHz: u16,
    groupBytes: u32,
    /** 0 is as fast as the line is. */
    groupRateKbps: u32,
  }),
};

function decodeProbeResult(bytes: Uint8Array): ProbeResult | undefined {
  const view = viewOf(bytes);
  if (bytes.byteLength >= result.sizeBytes) return result.read(view, 0);
  if (bytes.byteLength !== shortResult.sizeBytes) return undefined;
  return { ...shortResult.read(view, 0), wireSent: 0, dropped: 0 };
}

function encodeProbeResult(body: ProbeResult): Uint8Array {
  const bytes = new Uint8Array(result.sizeBytes);
  result.write(viewOf(bytes), 0, body);
  return bytes;
}
