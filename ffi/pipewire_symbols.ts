/**
 * Symbols of native/pipewire/pipewire.h.
 *
 * @module
 */

export const ABI = 1;

export const SYMBOLS = {
  pf_pipewire_abi: { parameters: [], result: "u32" },
  pf_pipewire_open: {
    parameters: [
      "buffer", // const uint8_t *path
      "usize", // size_t path_len
      "buffer", // struct pf_pipewire **out
    ],
    result: "i32",
  },
  pf_pipewire_close: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
    ],
    result: "void",
  },
  pf_pipewire_iterate: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "i32", // int32_t timeout_ms
    ],
    result: "i32",
  },
  pf_pipewire_sync: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "i32", // int32_t timeout_ms
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_pipewire_version: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "buffer", // char *out
      "usize", // size_t out_len
    ],
    result: "i32",
  },
  pf_pipewire_node_at: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "u32", // uint32_t index
      "buffer", // struct pf_pipewire_node *out
      "usize", // size_t out_len
    ],
    result: "i32",
  },
  pf_pipewire_node_destroy: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "u32", // uint32_t id
    ],
    result: "i32",
  },
  pf_pipewire_defaults_load: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "i32", // int32_t timeout_ms
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_pipewire_default_get: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "u32", // uint32_t which
      "buffer", // char *out
      "usize", // size_t out_len
    ],
    result: "i32",
  },
  pf_pipewire_default_set: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "buffer", // const uint8_t *value
      "usize", // size_t value_len
    ],
    result: "i32",
  },
  pf_pipewire_sink_create: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "buffer", // const uint8_t *properties
      "usize", // size_t properties_len
      "i32", // int32_t timeout_ms
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_pipewire_echo_open: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "buffer", // const uint8_t *arguments
      "usize", // size_t arguments_len
    ],
    result: "i32",
  },
  pf_pipewire_sink_destroy: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "u32", // uint32_t slot
    ],
    result: "i32",
  },
  pf_pipewire_stream_open: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "u32", // uint32_t direction
      "u32", // uint32_t channels
      "buffer", // const uint8_t *properties
      "usize", // size_t properties_len
    ],
    result: "i32",
  },
  pf_pipewire_capture_read: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "u32", // uint32_t samples
      "i32", // int32_t timeout_ms
      "buffer", // float *out
      "usize", // size_t out_len
      "buffer", // struct pf_pipewire_block *block
      "usize", // size_t block_len
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_pipewire_microphone_write: {
    parameters: [
      "pointer", // struct pf_pipewire *handle
      "u32", // uint32_t samples
      "pointer", // const float *data
      "usize", // size_t data_len
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;
