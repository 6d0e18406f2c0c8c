import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { parseLaunchParameters } from "../../../../src/protocol/gamestream/launch.ts";

const KEY = "000102030405060708090a0b0c0d0e0f";
const FULL = {
  uniqueid: "0123456789ABCDEF",
  appid: "1",
  mode: "1920x1080x60",
  additionalStates: "1",
  sops: "1",
  rikey: KEY.toUpperCase(),
  rikeyid: "-559038737",
  localAudioPlayMode: "1",
  surroundAudioInfo: "4128774",
  surroundParams: "642014523",
  remoteControllersBitmap: "3",
  gcpersist: "1",
  hdrMode: "1",
  continuousAudio: "1",
  corever: "1",
};

function launch(changes: Record<string, string | undefined> = {}) {
  return parseLaunchParameters(queryOf({ ...FULL, ...changes }), { isResume: false });
}

function resume(parameters: Record<string, string>) {
  return parseLaunchParameters(queryOf(parameters), { isResume: true });
}

function queryOf(parameters: Record<string, string | undefined>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, value);
  }
  return query;
}

Deno.test("parseLaunchParameters() reads everything a stock client sends", () => {
  assert.deepEqual(launch(), {
    appId: 1,
    mode: { widthPixels: 1920, heightPixels: 1080, refreshMilliHz: 60_000 },
    rikey: Uint8Array.fromHex(KEY),
    rikeyId: -559038737,
    corever: 1,
    isHdrWanted: true,
    isHeardOnHost: true,
    surroundParams: "642014523",
    isAudioContinuous: true,
    padMask: 3,
    arePadsPersistent: true,
  });
});

Deno.test("parseLaunchParameters() needs only the key and its id on resume", () => {
  const parameters = resume({ rikey: KEY, rikeyid: "0" });
  assert.equal(parameters.appId, undefined);
  assert.equal(parameters.mode, undefined);
  assert.equal(parameters.corever, undefined);
  assert.equal(parameters.padMask, 0);
  assert.throws(() => resume({ rikey: KEY }), ProtocolError);
  assert.throws(() => resume({ rikeyid: "0" }), ProtocolError);
  assert.throws(() => launch({ appid: undefined }), ProtocolError);
  assert.throws(() => launch({ mode: undefined }), ProtocolError);
});

Deno.test("parseLaunchParameters() reads rates with decimals, in thousands and left to ANNOUNCE", () => {
  const rates = [
    ["60", 60_000],
    ["59.94", 59_940],
    ["23.976", 23_976],
    ["59940", 59_940],
    ["120000", 120_000],
    ["999", 999_000],
    ["1000", 1_000],
    ["0", 0],
    ["1000000", 1_000_000],
  ] as const;
  for (const [text, refreshMilliHz] of rates) {
    assert.equal(launch({ mode: `1280x720x${text}` }).mode?.refreshMilliHz, refreshMilliHz, text);
  }
});

Deno.test("parseLaunchParameters() holds modes to their limits", () => {
  assert.equal(launch({ mode: "8192x8192x60" }).mode?.widthPixels, 8192);
  for (
    const mode of [
      "8193x1080x60",
      "1920x8193x60",
      "0x1080x60",
      "1920x0x60",
      "1920x1080x1000001",
      "1920x1080x1000.5",
      "1920x1080",
      "1920x1080x60x1",
      "-1920x1080x60",
      "1920x1080x6e1",
      "1920x1080x60 ",
      "",
    ]
  ) {
    assert.throws(() => launch({ mode }), ProtocolError, mode);
    assert.equal(resume({ rikey: KEY, rikeyid: "0", mode }).mode, undefined);
  }
});

Deno.test("parseLaunchParameters() rejects every shortened and lengthened key", () => {
  for (let length = 0; length < KEY.length; length++) {
    assert.throws(() => launch({ rikey: KEY.slice(0, length) }), ProtocolError);
  }
  for (const rikey of [`${KEY}0`, `${KEY}00`, KEY.replace("0", "g"), ` ${KEY.slice(1)}`]) {
    assert.throws(() => launch({ rikey }), ProtocolError);
  }
});

Deno.test("parseLaunchParameters() takes any 32-bit rikeyid and nothing past it", () => {
  for (const value of [-(2 ** 31), -1, 0, 1, 2 ** 31 - 1]) {
    assert.equal(launch({ rikeyid: `${value}` }).rikeyId, value);
  }
  for (
    const rikeyid of [`${-(2 ** 31) - 1}`, `${2 ** 31}`, "", "1.5", "0x10", "1 ", "99999999999"]
  ) {
    assert.throws(() => launch({ rikeyid }), ProtocolError, rikeyid);
  }
});

Deno.test("parseLaunchParameters() takes any 31-bit appid and nothing past it", () => {
  assert.equal(launch({ appid: `${2 ** 31 - 1}` }).appId, 2 ** 31 - 1);
  for (const appid of [`${2 ** 31}`, "-1", "", "one"]) {
    assert.throws(() => launch({ appid }), ProtocolError, appid);
  }
});

Deno.test("parseLaunchParameters() reads odd optional values as absent", () => {
  const parameters = launch({
    corever: "x",
    surroundParams: "64201452a",
    remoteControllersBitmap: undefined,
    gcmap: "65536",
    hdrMode: "yes",
    continuousAudio: "",
    localAudioPlayMode: "0",
    gcpersist: undefined,
  });
  assert.equal(parameters.corever, undefined);
  assert.equal(parameters.surroundParams, undefined);
  assert.equal(parameters.padMask, 0);
  assert.equal(parameters.isHdrWanted, false);
  assert.equal(parameters.isAudioContinuous, false);
  assert.equal(parameters.isHeardOnHost, false);
  assert.equal(parameters.arePadsPersistent, false);
  assert.equal(launch({ surroundParams: "1".repeat(32) }).surroundParams?.length, 32);
  assert.equal(launch({ surroundParams: "1".repeat(33) }).surroundParams, undefined);
  assert.equal(launch({ remoteControllersBitmap: undefined, gcmap: "65535" }).padMask, 0xffff);
});

Deno.test("parseLaunchParameters() inverts what a client writes", () => {
  fc.assert(fc.property(
    fc.record({
      appId: fc.nat(2 ** 31 - 1),
      width: fc.integer({ min: 1, max: 8192 }),
      height: fc.integer({ min: 1, max: 8192 }),
      milliHz: fc.integer({ min: 1000, max: 999_999 }),
      rikey: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      rikeyId: fc.integer(),
    }, { noNullPrototype: true }),
    ({ appId, width, height, milliHz, rikey, rikeyId }) => {
      const parameters = launch({
        appid: `${appId}`,
        mode: `${width}x${height}x${milliHz / 1000}`,
        rikey: rikey.toHex(),
        rikeyid: `${rikeyId}`,
      });
      assert.equal(parameters.appId, appId);
      assert.deepEqual(parameters.mode, {
        widthPixels: width,
        heightPixels: height,
        refreshMilliHz: milliHz,
      });
      assert.deepEqual(parameters.rikey, rikey);
      assert.equal(parameters.rikeyId, rikeyId);
    },
  ));
});

Deno.test("parseLaunchParameters() throws only ProtocolError on arbitrary queries", () => {
  const name = fc.constantFrom(...Object.keys(FULL));
  const value = fc.oneof(fc.string(), fc.constantFrom(...Object.values(FULL)));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.boolean(), (pairs, isResume) => {
      try {
        parseLaunchParameters(new URLSearchParams(pairs), { isResume });
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${error}`);
      }
    }),
  );
});
