import {
  decodeCommandResults,
  decodeIpcHeader,
  decodeOutputs,
  decodeVersion,
  encodeIpcMessage,
  IPC_GET_OUTPUTS,
} from "../../../src/display/sway_ipc_codec.ts";
import type { FuzzTarget } from "../target.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "sway-ipc.header",
    seeds: [encodeIpcMessage(IPC_GET_OUTPUTS, "")],
    run: (bytes) => void decodeIpcHeader(bytes),
  },
  {
    name: "sway-ipc.outputs",
    seeds: [
      encode([{
        name: "HEADLESS-1",
        active: true,
        focused: true,
        rect: { x: 0, y: 0, width: 1280, height: 720 },
        current_mode: { width: 1280, height: 720, refresh: 60_000 },
      }]),
    ],
    run: (bytes) => void decodeOutputs(bytes),
  },
  {
    name: "sway-ipc.results",
    seeds: [encode([{ success: false, parse_error: true, error: "Unknown command" }])],
    run: (bytes) => void decodeCommandResults(bytes),
  },
  {
    name: "sway-ipc.version",
    seeds: [encode({ human_readable: "1.7-6", variant: "sway", major: 1, minor: 7, patch: 0 })],
    run: (bytes) => void decodeVersion(bytes),
  },
];
