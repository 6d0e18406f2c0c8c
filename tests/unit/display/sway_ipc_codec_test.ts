import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeCommandResults,
  decodeIpcHeader,
  decodeOutputs,
  decodeVersion,
  encodeIpcMessage,
  IPC_GET_OUTPUTS,
  IPC_GET_VERSION,
  IPC_HEADER_SIZE_BYTES,
  IPC_PAYLOAD_SIZE_BYTES_MAX,
  IPC_RUN_COMMAND,
} from "../../../src/display/sway_ipc_codec.ts";
import { parseHex, toHex } from "../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../src/lib/errors.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const OUTPUT = {
  name: "HEADLESS-2",
  active: true,
  focused: false,
  rect: { x: 1280, y: -4, width: 1337, height: 777 },
  scale: 1.25,
  make: "Dell\u001b[31m Inc.",
  model: "Unknown",
  serial: "7\nX",
  current_mode: { width: 1337, height: 777, refresh: 59_940 },
  modes: [],
};

Deno.test("encodeIpcMessage() writes magic, size, type and payload", () => {
  assert.equal(toHex(encodeIpcMessage(IPC_GET_OUTPUTS, "")), "69332d6970630000000003000000");
  assert.equal(
    toHex(encodeIpcMessage(IPC_RUN_COMMAND, "é")),
    "69332d697063" + "0200000000000000" + "c3a9",
  );
});

Deno.test("decodeIpcHeader() inverts encodeIpcMessage()", () => {
  const types = fc.constantFrom(IPC_RUN_COMMAND, IPC_GET_OUTPUTS, IPC_GET_VERSION);
  fc.assert(fc.property(types, fc.string({ unit: "grapheme" }), (type, payload) => {
    const message = encodeIpcMessage(type, payload);
    const header = decodeIpcHeader(message.subarray(0, IPC_HEADER_SIZE_BYTES));
    assert.deepEqual(header, {
      type,
      payloadSizeBytes: message.byteLength - IPC_HEADER_SIZE_BYTES,
    });
  }));
});

Deno.test("decodeIpcHeader() rejects every shortened and lengthened form and a wrong magic", () => {
  const bytes = encodeIpcMessage(IPC_GET_VERSION, "");
  for (let length = 0; length < bytes.byteLength; length++) {
    assert.throws(() => decodeIpcHeader(bytes.subarray(0, length)), { code: "short" });
  }
  assert.throws(() => decodeIpcHeader(new Uint8Array([...bytes, 0])), { code: "trailing" });
  for (let index = 0; index < 6; index++) {
    const wrong = bytes.slice();
    wrong[index] = 0;
    assert.throws(() => decodeIpcHeader(wrong), { code: "malformed" });
  }
});

Deno.test("decodeIpcHeader() takes a payload at the limit and none beyond it", () => {
  const header = (sizeBytes: number) => {
    const bytes = encodeIpcMessage(IPC_GET_OUTPUTS, "");
    new DataView(bytes.buffer).setUint32(6, sizeBytes, true);
    return bytes;
  };
  const limit = IPC_PAYLOAD_SIZE_BYTES_MAX;
  assert.equal(decodeIpcHeader(header(limit)).payloadSizeBytes, limit);
  assert.throws(() => decodeIpcHeader(header(limit + 1)), { name: "ProtocolError", code: "limit" });
});

Deno.test("decodeOutputs() reads names, places and exact modes", () => {
  const off = { name: "DP-1", active: false, rect: { x: 0, y: 0, width: 0, height: 0 } };
  assert.deepEqual(decodeOutputs(encode([OUTPUT, off])), [
    {
      name: "HEADLESS-2",
      isActive: true,
      isFocused: false,
      x: 1280,
      y: -4,
      widthLogical: 1337,
      heightLogical: 777,
      scale: 1.25,
      description: "Dell[31m Inc. 7X",
      mode: { widthPixels: 1337, heightPixels: 777, refreshMilliHz: 59_940 },
    },
    {
      name: "DP-1",
      isActive: false,
      isFocused: false,
      x: 0,
      y: 0,
      widthLogical: 0,
      heightLogical: 0,
      scale: 1,
      description: "",
      mode: undefined,
    },
  ]);
});

Deno.test("decodeOutputs() passes over a scale that is none and cuts what a screen says", () => {
  for (const scale of [-1, 0, "2", null]) {
    assert.equal(decodeOutputs(encode([{ ...OUTPUT, scale }]))[0]?.scale, 1);
  }
  for (const [length, kept] of [[100, 100], [101, 100]] as const) {
    const screen = { ...OUTPUT, make: "x".repeat(length), serial: 7 };
    assert.equal(decodeOutputs(encode([screen]))[0]?.description.length, kept);
  }
});

Deno.test("decodeOutputs() rejects replies of another shape", () => {
  const { name: _, ...nameless } = OUTPUT;
  const unfit: unknown[] = [
    {},
    [null],
    [[]],
    [nameless],
    [{ ...OUTPUT, name: "" }],
    [{ ...OUTPUT, rect: null }],
    [{ ...OUTPUT, rect: { ...OUTPUT.rect, x: 0.5 } }],
    [{ ...OUTPUT, current_mode: "720p" }],
    [{ ...OUTPUT, current_mode: { width: 1, height: 1 } }],
  ];
  for (const value of unfit) {
    assert.throws(() => decodeOutputs(encode(value)), { name: "ProtocolError", code: "malformed" });
  }
  const whole = encode([OUTPUT]);
  for (let length = 0; length < whole.byteLength; length++) {
    assert.throws(() => decodeOutputs(whole.subarray(0, length)), ProtocolError);
  }
  assert.throws(() => decodeOutputs(parseHex("ff5b5d") ?? whole), ProtocolError);
});

Deno.test("decodeCommandResults() reads what became of each command", () => {
  const payload = encode([{ success: true }, { success: false, parse_error: true, error: "no" }]);
  assert.deepEqual(decodeCommandResults(payload), [
    { isDone: true, error: undefined },
    { isDone: false, error: "no" },
  ]);
  assert.throws(() => decodeCommandResults(encode([{}])), ProtocolError);
  assert.throws(() => decodeCommandResults(encode({ success: true })), ProtocolError);
});

Deno.test("decodeVersion() reads the numbers and the text", () => {
  const version = { human_readable: "1.7-6", variant: "sway", major: 1, minor: 7, patch: 0 };
  assert.deepEqual(decodeVersion(encode(version)), { major: 1, minor: 7, text: "1.7-6" });
  assert.throws(() => decodeVersion(encode({ ...version, major: "1" })), ProtocolError);
  assert.throws(() => decodeVersion(encode({ ...version, human_readable: 1 })), ProtocolError);
});

Deno.test("The IPC decoders throw only ProtocolError on arbitrary bytes and JSON", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.jsonValue().map(encode));
  fc.assert(fc.property(bytes, (input) => {
    for (const decode of [decodeIpcHeader, decodeOutputs, decodeCommandResults, decodeVersion]) {
      try {
        decode(input);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${error}`);
      }
    }
  }));
});
