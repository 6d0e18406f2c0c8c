/**
 * The shim `wlroots`: its symbols, its statuses as errors, and opening its handles. native/wlroots/wlroots.h states what
 * each call does; `wlroots_capture.ts` and `wlroots_input.ts` wrap the handles.
 *
 * @module
 */
import { NativeError, OperationError, type OperationErrorCode } from "../src/lib/errors.ts";
import { openShim } from "./library.ts";

export const ABI = 1;

export const SYMBOLS = {
  pf_wlroots_abi: { parameters: [], result: "u32" },
  pf_wlroots_capture_open: {
    parameters: [
      "buffer", // const uint8_t *socket_path
      "usize", // size_t socket_path_len
      "buffer", // const uint8_t *output_name
      "usize", // size_t output_name_len
      "u32", // uint32_t has_cursor
      "buffer", // struct pf_wlroots_capture **capture
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_wlroots_capture_next: {
    parameters: [
      "pointer", // struct pf_wlroots_capture *capture
      "u32", // uint32_t wait_ms
      "buffer", // struct pf_wlroots_frame *frame
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_wlroots_capture_protocol: {
    parameters: ["pointer"], // const struct pf_wlroots_capture *capture
    result: "u32",
  },
  pf_wlroots_capture_interrupt: {
    parameters: ["pointer"], // struct pf_wlroots_capture *capture
    result: "i32",
  },
  pf_wlroots_capture_close: {
    parameters: ["pointer"], // struct pf_wlroots_capture *capture
    result: "void",
  },
  pf_wlroots_input_open: {
    parameters: [
      "buffer", // const uint8_t *socket_path
      "usize", // size_t socket_path_len
      "buffer", // const uint8_t *output_name
      "usize", // size_t output_name_len
      "buffer", // struct pf_wlroots_input **input
    ],
    result: "i32",
    nonblocking: true,
  },
  pf_wlroots_input_seat_keymap: {
    parameters: [
      "pointer", // const struct pf_wlroots_input *input
      "buffer", // uint8_t *text
      "usize", // size_t capacity
      "buffer", // size_t *text_len
    ],
    result: "i32",
  },
  pf_wlroots_input_keymap: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "u32", // uint32_t keyboard
      "buffer", // const uint8_t *text
      "usize", // size_t text_len
    ],
    result: "i32",
  },
  pf_wlroots_input_key: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "u32", // uint32_t keyboard
      "u32", // uint32_t code
      "u32", // uint32_t is_down
    ],
    result: "i32",
  },
  pf_wlroots_input_modifiers: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "u32", // uint32_t keyboard
      "u32", // uint32_t depressed
      "u32", // uint32_t locked
    ],
    result: "i32",
  },
  pf_wlroots_input_tap: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "u32", // uint32_t keyboard
      "buffer", // const uint16_t *codes
      "usize", // size_t codes_len
    ],
    result: "i32",
  },
  pf_wlroots_input_motion: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "f64", // double dx
      "f64", // double dy
    ],
    result: "i32",
  },
  pf_wlroots_input_position: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "u32", // uint32_t x
      "u32", // uint32_t y
      "u32", // uint32_t x_extent
      "u32", // uint32_t y_extent
    ],
    result: "i32",
  },
  pf_wlroots_input_button: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "u32", // uint32_t code
      "u32", // uint32_t is_down
    ],
    result: "i32",
  },
  pf_wlroots_input_scroll: {
    parameters: [
      "pointer", // struct pf_wlroots_input *input
      "u32", // uint32_t axis
      "f64", // double value
      "i32", // int32_t detents
    ],
    result: "i32",
  },
  pf_wlroots_input_close: {
    parameters: ["pointer"], // struct pf_wlroots_input *input
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

export type WlrootsLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

export const STATUS_TIMEOUT = -8;
export const STATUS_INTERRUPTED = -9;

/** Where to connect and which output to use. */
export interface WlrootsTarget {
  /** Absolute path of the compositor's socket, at most 107 bytes. */
  readonly socketPath: string;
  /** At most 63 bytes, e.g. "HEADLESS-2". */
  readonly outputName: string;
}

/** What an error tells besides its status. */
export interface WlrootsPurpose {
  /** Completes "Cannot …", e.g. "capture the screen". */
  readonly what: string;
  /** The code when output or compositor are gone. */
  readonly codeOfLoss: "capture-lost" | "unavailable";
}

/** The error that a negative `status` stands for. */
export function errorOfStatus(
  status: number,
  target: WlrootsTarget,
  { what, codeOfLoss }: WlrootsPurpose,
): Error {
  const { socketPath, outputName } = target;
  const operation = (code: OperationErrorCode, reason: string, remedy?: string) =>
    new OperationError(code, `Cannot ${what}: ${reason}`, remedy === undefined ? {} : { remedy });
  switch (status) {
    case -1:
      return operation("invalid", `"${outputName}" at "${socketPath}" is outside the limits`);
    case -2:
      return operation(
        "missing-library",
        "libwayland-client.so.0 is missing or older than 1.20",
        "Install the package libwayland-client0",
      );
    case -3:
      return operation(
        "missing-compositor",
        `no compositor listens at ${socketPath}`,
        "Start Sway, or set WAYLAND_DISPLAY to its socket",
      );
    case -4:
      return operation("not-found", `there is no output ${outputName}`);
    case -5:
      return operation(
        "unavailable",
        `the compositor at ${socketPath} lacks the protocols for it`,
        "Use Sway 1.7 or later",
      );
    case -6:
      return operation("unavailable", "the compositor offers no 32-bit pixel format");
    case -7:
      return operation(codeOfLoss, `${outputName} was removed or its compositor is gone`);
    case STATUS_TIMEOUT:
      return operation("unavailable", `the compositor at ${socketPath} does not answer`);
    default:
      return new NativeError("wlroots", status, `Cannot ${what}: status ${status}`);
  }
}

/** Text as C takes it: bytes and their count. */
export type Sized = readonly [bytes: Uint8Array<ArrayBuffer>, sizeBytes: bigint];

function sized(text: string): Sized {
  const bytes = new TextEncoder().encode(text);
  return [bytes, BigInt(bytes.byteLength)];
}

/** Open the shim and a handle in it; `call` is one of its `_open` functions. Nothing stays open after an error. */
export async function openWlroots(
  target: WlrootsTarget,
  purpose: WlrootsPurpose,
  call: (
    symbols: WlrootsLibrary["symbols"],
    address: readonly [...Sized, ...Sized],
    handle: Uint8Array<ArrayBuffer>,
  ) => Promise<number>,
): Promise<{ readonly library: WlrootsLibrary; readonly handle: Deno.PointerObject }> {
  const library = openShim("wlroots", ABI, SYMBOLS);
  try {
    const stored = new BigUint64Array(1);
    const address = [...sized(target.socketPath), ...sized(target.outputName)] as const;
    const status = await call(library.symbols, address, new Uint8Array(stored.buffer));
    const handle = Deno.UnsafePointer.create(stored[0] ?? 0n);
    if (status !== 0 || handle === null) throw errorOfStatus(status, target, purpose);
    return { library, handle };
  } catch (error) {
    library.close();
    throw error;
  }
}
