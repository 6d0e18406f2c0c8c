import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { resolveSettings, type SettingId, SETTINGS } from "../../../src/platform/config.ts";
import { layerEnv, parseHostEnv, takeCredentials } from "../../../src/platform/config_env_file.ts";

/** For each setting: text and the value it means, a second pair, and text that is no value. */
const SAMPLES: Record<
  SettingId,
  { text: string; value: unknown; otherText: string; otherValue: unknown; wrong: string }
> = {
  gamestream: { text: "On", value: true, otherText: "no", otherValue: false, wrong: "maybe" },
  gamestream_port: {
    text: "50000",
    value: 50_000,
    otherText: "50100",
    otherValue: 50_100,
    wrong: "http",
  },
  native_port: { text: "1", value: 1, otherText: "65535", otherValue: 65_535, wrong: "9e3" },
  mgmt_bind: {
    text: "127.0.0.1:0",
    value: { address: "127.0.0.1", port: 0 },
    otherText: "[::1]:47990",
    otherValue: { address: "::1", port: 47_990 },
    wrong: "localhost:1",
  },
  mdns: { text: "0", value: false, otherText: "TRUE", otherValue: true, wrong: "2" },
  source: {
    text: "software",
    value: "synthetic",
    otherText: "WLRoots",
    otherValue: "wlroots",
    wrong: "camera",
  },
  encoder: {
    text: "software",
    value: "software",
    otherText: "auto",
    otherValue: "auto",
    wrong: "x264",
  },
  fec_percent: { text: "0", value: 0, otherText: "90", otherValue: 90, wrong: "20%" },
  idle_timeout_ms: {
    text: "1000",
    value: 1_000,
    otherText: "120000",
    otherValue: 120_000,
    wrong: "8s",
  },
  data_port: { text: "0", value: 0, otherText: "65535", otherValue: 65_535, wrong: "any" },
  wire_mtu: { text: "1400", value: 1_400, otherText: "9000", otherValue: 9_000, wrong: "jumbo" },
  chacha20: { text: "off", value: false, otherText: "1", otherValue: true, wrong: "aes" },
  delivery: {
    text: "Smooth",
    value: "smooth",
    otherText: "capped",
    otherValue: "capped",
    wrong: "fast",
  },
  video_drop: { text: "90", value: 90, otherText: "1", otherValue: 1, wrong: "some" },
  host_name: {
    text: "Den",
    value: "Den",
    otherText: "Büro",
    otherValue: "Büro",
    wrong: "x".repeat(64),
  },
};

const IDS = Object.keys(SETTINGS) as SettingId[];

function resolve(
  id: SettingId,
  inputs: { flag?: string; env?: string; stored?: unknown; envName?: string },
) {
  const name = inputs.envName ?? SETTINGS[id].env;
  const { settings, warnings } = resolveSettings({
    flags: inputs.flag === undefined ? {} : { [id]: inputs.flag },
    env: { get: (asked) => asked === name ? inputs.env : undefined },
    stored: inputs.stored === undefined ? {} : { [id]: inputs.stored },
  });
  return { setting: settings[id], warnings };
}

Deno.test("SETTINGS: every row falls back to its default and says so", () => {
  for (const id of IDS) {
    assert.deepEqual(resolve(id, {}), {
      setting: { value: SETTINGS[id].fallback, source: "default", origin: undefined },
      warnings: [],
    });
    for (const blank of ["", "  "]) {
      assert.equal(resolve(id, { env: blank }).setting.source, "default", id);
    }
  }
});

Deno.test("SETTINGS: for every row a flag wins over the environment, and that over the file", () => {
  for (const id of IDS) {
    const { text, value, otherText, otherValue } = SAMPLES[id];
    const isJson = typeof otherValue === "boolean" || typeof otherValue === "number";
    const stored = isJson ? otherValue : otherText;
    assert.deepEqual(resolve(id, { flag: text, env: otherText, stored }).setting, {
      value,
      source: "flag",
      origin: SETTINGS[id].flag ?? id,
    });
    assert.deepEqual(resolve(id, { env: otherText, stored }).setting, {
      value: otherValue,
      source: "env",
      origin: SETTINGS[id].env,
    });
    const fromFile = resolve(id, { stored });
    assert.deepEqual(fromFile.warnings, []);
    assert.deepEqual(
      fromFile.setting,
      SETTINGS[id].isStored
        ? { value: otherValue, source: "store", origin: undefined }
        : { value: SETTINGS[id].fallback, source: "default", origin: undefined },
      id,
    );
  }
});

Deno.test("SETTINGS: for every row a wrong flag is an error that names the flag and what is allowed", () => {
  for (const id of IDS) {
    const name = SETTINGS[id].flag ?? id;
    assert.throws(
      () => resolve(id, { flag: SAMPLES[id].wrong }),
      (error) =>
        error instanceof OperationError && error.code === "invalid" &&
        error.message === `Cannot use ${name}: it ${SETTINGS[id].kind.expectation}`,
      id,
    );
  }
});

Deno.test("SETTINGS: a wrong variable stops the host on strict rows, else it is passed over with a warning", () => {
  for (const id of IDS) {
    const { wrong, otherValue } = SAMPLES[id];
    if (SETTINGS[id].isStrict) {
      assert.throws(() => resolve(id, { env: wrong }), OperationError, id);
      continue;
    }
    const { setting, warnings } = resolve(id, { env: wrong, stored: otherValue });
    assert.equal(setting.source, SETTINGS[id].isStored ? "store" : "default", id);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? "",
      new RegExp(`^Cannot use ${SETTINGS[id].env}: it must .* ignored$`),
    );
  }
});

Deno.test("SETTINGS: a number out of range is clamped in the environment and refused everywhere else", () => {
  const { setting, warnings } = resolve("fec_percent", { env: "91" });
  assert.deepEqual(setting, { value: 90, source: "env", origin: "PUNKTFUNK_FEC_PCT" });
  assert.equal(warnings.length, 1);
  assert.throws(() => resolve("fec_percent", { flag: "91" }), OperationError);
  for (const text of ["65536", "-1"]) {
    assert.throws(() => resolve("native_port", { env: text }), OperationError);
  }
  for (const text of ["1028", "65515"]) {
    assert.throws(() => resolve("gamestream_port", { flag: text }), OperationError);
  }
  for (const text of ["1029", "65514"]) {
    assert.equal(resolve("gamestream_port", { flag: text }).setting.value, Number(text));
  }
});

Deno.test("SETTINGS: a value of the wrong kind in the file is warned about and passed over", () => {
  for (const [id, stored] of [["gamestream", "on"], ["host_name", 5], ["encoder", null]] as const) {
    const { setting, warnings } = resolve(id, { stored });
    assert.equal(setting.source, "default");
    assert.equal(warnings.length, 1);
  }
});

Deno.test("SETTINGS: mgmt_bind takes addresses of both families and nothing else", () => {
  for (const text of ["0.0.0.0:47990", "255.255.255.255:65535", "[::]:1", "[fe80::1]:47990"]) {
    assert.equal(resolve("mgmt_bind", { flag: text }).setting.source, "flag");
  }
  for (
    const text of [
      "127.0.0.1",
      ":47990",
      "127.0.0.1:65536",
      "256.0.0.1:1",
      "1.2.3:1",
      "::1:47990",
      "[::1]",
      "[zz]:1",
      "[1]:1",
      "host:1",
      "127.0.0.1:-1",
      "127.0.0.1:1 ",
    ]
  ) {
    assert.throws(() => resolve("mgmt_bind", { flag: text }), OperationError, text);
  }
});

Deno.test("SETTINGS: host_name holds 63 characters, counted as a person counts them", () => {
  assert.equal(resolve("host_name", { env: "😀".repeat(63) }).setting.source, "env");
  assert.equal(resolve("host_name", { env: "😀".repeat(64) }).setting.source, "default");
});

Deno.test("parseHostEnv() reads keys, comments, quotes and lets the last of equals win", () => {
  const text = [
    "# PUNKTFUNK_MDNS=0",
    "",
    "  PUNKTFUNK_GAMESTREAM = 1 ",
    'PUNKTFUNK_HOST_NAME="Den = two"',
    "EMPTY=",
    'HALF="x',
    "no equals",
    "=nameless",
    "bad name=1",
    "TWICE=a",
    "TWICE=b\r",
  ].join("\n");
  assert.deepEqual(
    [...parseHostEnv(text)],
    [
      ["PUNKTFUNK_GAMESTREAM", "1"],
      ["PUNKTFUNK_HOST_NAME", "Den = two"],
      ["EMPTY", ""],
      ["HALF", '"x'],
      ["TWICE", "b"],
    ],
  );
});

Deno.test("layerEnv() lets a variable of the process win, and reads a blank one as unset", () => {
  const process = new Map([["A", "process"], ["B", ""]]);
  const env = layerEnv(process, new Map([["A", "file"], ["B", "file"], ["C", "file"]]));
  assert.deepEqual(["A", "B", "C", "D"].map((name) => env.get(name)), [
    "process",
    "file",
    "file",
    undefined,
  ]);
});

Deno.test("takeCredentials() returns the credentials and leaves none behind", () => {
  const env = new Map([
    ["PUNKTFUNK_MGMT_TOKEN", " t "],
    ["PUNKTFUNK_UI_PASSWORD", ""],
    ["PUNKTFUNK_MDNS", "0"],
  ]);
  assert.deepEqual([...takeCredentials(env)], [["PUNKTFUNK_MGMT_TOKEN", "t"]]);
  assert.deepEqual([...env.keys()], ["PUNKTFUNK_MDNS"]);
});
