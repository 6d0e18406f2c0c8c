/**
 * Symbols and statuses of native/quic, for the class in `quic.ts`.
 *
 * @module
 */
import { NativeError } from "../src/lib/errors.ts";
import { openShim } from "./library.ts";

export const ABI = 1;

const CONFIG = [
  "buffer", // const struct pf_quic_config *config
  "usize", // size_t config_len
  "buffer", // const uint8_t *address
  "usize", // size_t address_len
] as const;

const IDENTITY = [
  "buffer", // const uint8_t *alpn
  "usize", // size_t alpn_len
  "buffer", // const uint8_t *certificate
  "usize", // size_t certificate_len
  "buffer", // const uint8_t *key
  "usize", // size_t key_len
] as const;

/** Of a connection or a stream. */
const MEMBER = [
  "u64", // uint64_t endpoint
  "u64", // uint64_t connection, or uint64_t stream
] as const;

const BYTES = [
  "buffer", // const uint8_t *bytes, or uint8_t *out
  "usize", // size_t bytes_len, or size_t out_len
] as const;

export const SYMBOLS = {
  pf_quic_abi: { parameters: [], result: "u32" },
  pf_quic_listen: {
    parameters: [...CONFIG, ...IDENTITY, "buffer"], // uint64_t *endpoint
    result: "i32",
  },
  pf_quic_port: {
    parameters: ["u64"], // uint64_t endpoint
    result: "i32",
  },
  pf_quic_connector_open: {
    parameters: ["buffer"], // uint64_t *endpoint
    result: "i32",
  },
  pf_quic_connect: {
    parameters: [
      "u64", // uint64_t endpoint
      ...CONFIG,
      "buffer", // const uint8_t *server_name
      "usize", // size_t server_name_len
      ...IDENTITY,
      "buffer", // const uint8_t *fingerprint
      "usize", // size_t fingerprint_len
      "buffer", // uint64_t *connection
    ],
    result: "i32",
  },
  pf_quic_wait: {
    parameters: ["u64", "i32", ...BYTES], // uint64_t endpoint, int32_t timeout_ms
    result: "i32",
    nonblocking: true,
  },
  pf_quic_close: {
    parameters: ["u64"], // uint64_t endpoint
    result: "i32",
    nonblocking: true,
  },
  pf_quic_connection_close: {
    parameters: [...MEMBER, "u32", ...BYTES], // uint32_t code
    result: "i32",
  },
  pf_quic_connection_path: {
    parameters: [...MEMBER, ...BYTES], // struct pf_quic_path *path
    result: "i32",
  },
  pf_quic_datagram_send: { parameters: [...MEMBER, ...BYTES], result: "i32" },
  pf_quic_stream_open: {
    parameters: [...MEMBER, "u32", "buffer"], // uint32_t timeout_ms, uint64_t *stream
    result: "i32",
  },
  pf_quic_stream_read: { parameters: [...MEMBER, ...BYTES], result: "i32" },
  pf_quic_stream_write: { parameters: [...MEMBER, ...BYTES], result: "i32" },
  pf_quic_stream_finish: { parameters: [...MEMBER], result: "i32" },
  pf_quic_stream_abort: { parameters: [...MEMBER, "u32"], result: "i32" }, // uint32_t code
} as const satisfies Deno.ForeignLibraryInterface;

export type QuicLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

export function openQuicLibrary(): QuicLibrary {
  return openShim("quic", ABI, SYMBOLS);
}

/** enum pf_quic_status, where a caller tells them apart. */
export const STATUS = {
  invalid: -1,
  stale: -2,
  closed: -3,
  identity: -7,
  addressInUse: -8,
  access: -9,
  addressNotAvailable: -10,
} as const;

export const STATUS_TEXTS: Readonly<Record<number, string>> = {
  [-1]: "an argument is outside its limits",
  [-2]: "it is no more",
  [-3]: "the endpoint is closed",
  [-4]: "the peer finished the stream",
  [-5]: "the peer reset the stream",
  [-6]: "the connection ended",
  [-7]: "certificate and key are not PEM, or do not belong together",
  [-8]: "the port is in use",
  [-9]: "the system forbids it",
  [-10]: "the address is not of this machine",
  [-11]: "the system refused a socket or a thread",
  [-12]: "the library failed",
};

/** `status` itself, or NativeError "Cannot <what>: …" when it is negative. */
export function checkQuic(status: number, what: string): number {
  if (status >= 0) return status;
  throw new NativeError(
    "quic",
    status,
    `Cannot ${what}: ${STATUS_TEXTS[status] ?? `status ${status}`}`,
  );
}
