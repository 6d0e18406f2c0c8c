/**
 * Symbols and statuses of native/wire, for the classes in `wire*.ts`.
 *
 * @module
 */
import { NativeError } from "../src/lib/errors.ts";
import { openShim } from "./library.ts";

export const ABI = 5;

/** What is sent may lie in C memory or in an array: the same function is bound for each. */
const FRAME = [
  "pointer", // struct pf_wire_kernel *kernel
  "buffer", // const struct pf_wire_job *job
  "usize", // size_t job_len
  "buffer", // const uint8_t *headers
  "usize", // size_t headers_len
  "buffer", // const uint8_t *prologue
  "usize", // size_t prologue_len
] as const;

const PACKET = [
  "usize", // size_t payload_len
  "buffer", // const uint8_t *header
  "usize", // size_t header_len
  "buffer", // const uint8_t *iv
  "usize", // size_t iv_len
  "buffer", // const uint8_t *parity_headers
  "usize", // size_t parity_headers_len
] as const;

const OUTPUT = [
  "buffer", // uint8_t *out, or const struct pf_wire_route *route
  "usize", // size_t out_len, or size_t route_len
] as const;

export const SYMBOLS = {
  pf_wire_abi: { parameters: [], result: "u32" },
  pf_wire_address_parse: {
    parameters: [
      "buffer", // const uint8_t *text
      "usize", // size_t text_len
      "buffer", // struct pf_wire_address *address
    ],
    result: "i32",
  },
  pf_wire_kernel_open: {
    parameters: ["buffer"], // struct pf_wire_kernel **kernel
    result: "i32",
  },
  pf_wire_kernel_close: {
    parameters: ["pointer"], // struct pf_wire_kernel *kernel
    result: "void",
  },
  pf_wire_set_level: {
    parameters: [
      "pointer", // struct pf_wire_kernel *kernel
      "u32", // uint32_t level
    ],
    result: "i32",
  },
  pf_wire_level: {
    parameters: ["pointer"], // const struct pf_wire_kernel *kernel
    result: "u32",
  },
  pf_wire_set_send_mode: {
    parameters: [
      "pointer", // struct pf_wire_kernel *kernel
      "u32", // uint32_t mode
    ],
    result: "i32",
  },
  pf_wire_send_mode: {
    parameters: ["pointer"], // const struct pf_wire_kernel *kernel
    result: "u32",
  },
  pf_wire_set_drop: {
    parameters: [
      "pointer", // struct pf_wire_kernel *kernel
      "u32", // uint32_t percent
      "u64", // uint64_t seed
    ],
    result: "i32",
  },
  pf_wire_parity: {
    parameters: [
      "pointer", // struct pf_wire_kernel *kernel
      "u32", // uint32_t field_bits
      "u32", // uint32_t data_count
      "u32", // uint32_t parity_count
      "buffer", // const uint8_t *data
      "usize", // size_t data_len
      "buffer", // uint8_t *parity
      "usize", // size_t parity_len
    ],
    result: "i32",
  },
  pf_wire_frame_build: {
    parameters: [...FRAME, "buffer", "usize", ...OUTPUT], // const uint8_t *au, size_t au_len
    result: "i32",
  },
  pf_wire_frame_build_native: {
    name: "pf_wire_frame_build",
    parameters: [...FRAME, "pointer", "usize", ...OUTPUT],
    result: "i32",
  },
  pf_wire_frame_send: {
    parameters: [...FRAME, "buffer", "usize", ...OUTPUT],
    result: "i32",
  },
  pf_wire_frame_send_native: {
    name: "pf_wire_frame_send",
    parameters: [...FRAME, "pointer", "usize", ...OUTPUT],
    result: "i32",
  },
  pf_wire_stream_open: {
    parameters: [
      "u32", // uint32_t data_count
      "u32", // uint32_t parity_count
      "buffer", // const uint8_t *matrix
      "usize", // size_t matrix_len
      "buffer", // const uint8_t *key
      "usize", // size_t key_len
      "buffer", // struct pf_wire_stream **stream
    ],
    result: "i32",
  },
  pf_wire_stream_close: {
    parameters: ["pointer"], // struct pf_wire_stream *stream
    result: "void",
  },
  pf_wire_stream_build: {
    parameters: ["pointer", "buffer", ...PACKET, ...OUTPUT], // stream, const uint8_t *payload
    result: "i32",
  },
  pf_wire_stream_build_native: {
    name: "pf_wire_stream_build",
    parameters: ["pointer", "pointer", ...PACKET, ...OUTPUT],
    result: "i32",
  },
  pf_wire_stream_send: {
    parameters: ["pointer", "buffer", ...PACKET, ...OUTPUT],
    result: "i32",
  },
  pf_wire_stream_send_native: {
    name: "pf_wire_stream_send",
    parameters: ["pointer", "pointer", ...PACKET, ...OUTPUT],
    result: "i32",
  },
  pf_wire_udp_open: {
    parameters: [
      "buffer", // const uint8_t *address
      "usize", // size_t address_len
      "u32", // uint32_t port
      "buffer", // struct pf_wire_udp **udp
    ],
    result: "i32",
  },
  pf_wire_udp_close: {
    parameters: ["pointer"], // struct pf_wire_udp *udp
    result: "void",
  },
  pf_wire_udp_descriptor: {
    parameters: ["pointer"], // const struct pf_wire_udp *udp
    result: "i32",
  },
  pf_wire_udp_port: {
    parameters: ["pointer"], // const struct pf_wire_udp *udp
    result: "i32",
  },
  pf_wire_udp_receive: {
    parameters: [
      "pointer", // struct pf_wire_udp *udp
      "i32", // int32_t timeout_ms
      "buffer", // uint8_t *out
      "usize", // size_t out_len
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_wire_udp_send: {
    parameters: [
      "pointer", // struct pf_wire_udp *udp
      "buffer", // const uint8_t *bytes
      "usize", // size_t bytes_len
      "buffer", // const struct pf_wire_address *to
    ],
    result: "i32",
  },
  pf_wire_udp_set_dscp: {
    parameters: [
      "pointer", // struct pf_wire_udp *udp
      "u32", // uint32_t dscp
    ],
    result: "i32",
  },
  pf_wire_udp_wake: {
    parameters: ["pointer"], // struct pf_wire_udp *udp
    result: "i32",
  },
  pf_wire_receiver_open: {
    parameters: [
      "i32", // int32_t descriptor
      "buffer", // const struct pf_wire_opening *opening
      "usize", // size_t opening_len
      "buffer", // struct pf_wire_receiver **receiver
    ],
    result: "i32",
  },
  pf_wire_receiver_close: {
    parameters: ["pointer"], // struct pf_wire_receiver *receiver
    result: "void",
  },
  pf_wire_receiver_receive: {
    parameters: [
      "pointer", // struct pf_wire_receiver *receiver
      "i32", // int32_t timeout_ms
      "buffer", // struct pf_wire_packet *packets
      "usize", // size_t packets_len
      "buffer", // uint8_t *out
      "usize", // size_t out_len
      "buffer", // struct pf_wire_arrivals *arrivals
      "usize", // size_t arrivals_len
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_wire_receiver_wake: {
    parameters: ["pointer"], // struct pf_wire_receiver *receiver
    result: "i32",
  },
  pf_wire_rebuilder_open: {
    parameters: ["buffer"], // struct pf_wire_rebuilder **rebuilder
    result: "i32",
  },
  pf_wire_rebuilder_close: {
    parameters: ["pointer"], // struct pf_wire_rebuilder *rebuilder
    result: "void",
  },
  pf_wire_rebuild: {
    parameters: [
      "pointer", // struct pf_wire_rebuilder *rebuilder
      "u32", // uint32_t data_count
      "u32", // uint32_t parity_count
      "buffer", // uint8_t *data
      "usize", // size_t data_len
      "buffer", // const uint8_t *parity
      "usize", // size_t parity_len
      "buffer", // const uint8_t *present
      "usize", // size_t present_len
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

export type WireLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

export function openWireLibrary(): WireLibrary {
  return openShim("wire", ABI, SYMBOLS);
}

export const STATUS_TEXTS: Readonly<Record<number, string>> = {
  [-1]: "an argument is outside its limits",
  [-2]: "memory is short",
  [-3]: "libcrypto refused",
  [-4]: "the descriptor is no usable UDP socket",
  [-5]: "this build or processor does not have it",
  [-6]: "the port is in use",
  [-7]: "the system forbids it",
  [-8]: "the address is not of this machine",
};

/** `status` itself, or NativeError "Cannot <what>: …" when it is negative. */
export function checkWire(status: number, what: string): number {
  if (status >= 0) return status;
  const reason = STATUS_TEXTS[status] ?? `status ${status}`;
  throw new NativeError("wire", status, `Cannot ${what}: ${reason}`);
}

/** A handle that the shim wrote into `slot`. */
export function handleIn(slot: BigUint64Array): Deno.PointerObject {
  const pointer = Deno.UnsafePointer.create(slot[0] ?? 0n);
  if (pointer === null) throw new NativeError("wire", 0, "Cannot open wire handle: it is null");
  return pointer;
}
