import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { concatBytes, parseHex, toHex } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  AUTH_INPUT_SIZE_BYTES,
  decodeDeviceKey,
  deviceAuthInput,
  encodeDeviceKey,
  signDeviceAuth,
  verifyDeviceAuth,
} from "../../../../src/protocol/punktfunk1/device_auth.ts";
import vectors from "../../../vectors/punktfunk1-pairing.json" with { type: "json" };

const { deviceAuth } = vectors;
const BINDING = { certificateHash: hex(deviceAuth.certificateHash), nonce: hex(deviceAuth.nonce) };
const DEVICE_KEY = hex(deviceAuth.deviceKey);
const SIGNATURE = hex(deviceAuth.signature);
const PRIVATE_KEY = createPrivateKey({
  key: Buffer.from(deviceAuth.privateKeyPkcs8, "hex"),
  format: "der",
  type: "pkcs8",
});

function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseHex(text);
  assert.ok(bytes !== undefined);
  return bytes;
}

function isRefused(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProtocolError && error.code === code;
}

Deno.test("deviceAuthInput() is the context, the certificate's hash and the nonce", () => {
  const input = deviceAuthInput(BINDING);
  assert.equal(input.byteLength, AUTH_INPUT_SIZE_BYTES);
  assert.equal(toHex(input), deviceAuth.input);
  for (
    const wrong of [{ nonce: BINDING.nonce.subarray(1) }, { certificateHash: new Uint8Array(33) }]
  ) {
    assert.throws(() => deviceAuthInput({ ...BINDING, ...wrong }), RangeError);
  }
});

Deno.test("verifyDeviceAuth() takes a browser's signature and names the device", () => {
  const device = verifyDeviceAuth({ deviceKey: DEVICE_KEY, signature: SIGNATURE }, BINDING);
  assert.equal(toHex(device.fingerprint), deviceAuth.fingerprint);
});

Deno.test("verifyDeviceAuth() takes what signDeviceAuth() made, for this binding alone", () => {
  assert.equal(toHex(encodeDeviceKey(PRIVATE_KEY)), deviceAuth.deviceKey);
  const signature = signDeviceAuth(PRIVATE_KEY, BINDING);
  const response = { deviceKey: DEVICE_KEY, signature };
  assert.equal(toHex(verifyDeviceAuth(response, BINDING).fingerprint), deviceAuth.fingerprint);
  const otherKey = encodeDeviceKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey);
  const wrong = isRefused("authentication");
  const swapped = { certificateHash: BINDING.nonce, nonce: BINDING.certificateHash };
  assert.throws(() => verifyDeviceAuth(response, { ...BINDING, nonce: new Uint8Array(32) }), wrong);
  assert.throws(() => verifyDeviceAuth(response, swapped), wrong);
  assert.throws(() => verifyDeviceAuth({ deviceKey: otherKey, signature }, BINDING), wrong);
});

Deno.test("verifyDeviceAuth() refuses every shortened and lengthened signature, and one that is no DER", () => {
  const rejects = (signature: Uint8Array) =>
    assert.throws(
      () => verifyDeviceAuth({ deviceKey: DEVICE_KEY, signature }, BINDING),
      isRefused("authentication"),
    );
  for (let length = 0; length < SIGNATURE.length; length++) rejects(SIGNATURE.subarray(0, length));
  rejects(concatBytes(SIGNATURE, Uint8Array.of(0)));
  // Raw r ‖ s, as WebCrypto gives it.
  rejects(concatBytes(SIGNATURE.subarray(4, 36), SIGNATURE.subarray(38)));
  rejects(new Uint8Array(100_000));
});

Deno.test("decodeDeviceKey() refuses every other length, other kinds of key and points off the curve", () => {
  for (let length = 0; length < DEVICE_KEY.length; length++) {
    assert.throws(() => decodeDeviceKey(DEVICE_KEY.subarray(0, length)), isRefused("short"));
  }
  const long = concatBytes(DEVICE_KEY, Uint8Array.of(0));
  assert.throws(() => decodeDeviceKey(long), isRefused("trailing"));
  const changed = (offset: number, value: number) => {
    const key = new Uint8Array(DEVICE_KEY);
    key[offset] = value;
    return key;
  };
  assert.throws(() => decodeDeviceKey(changed(22, 0x08)), isRefused("unsupported"));
  assert.throws(() => decodeDeviceKey(changed(26, 0x02)), isRefused("unsupported"));
  assert.throws(() => decodeDeviceKey(changed(90, 0x00)), isRefused("malformed"));
});

Deno.test("verifyDeviceAuth() throws only ProtocolError on arbitrary keys and signatures", () => {
  const key = fc.oneof(
    fc.constant(DEVICE_KEY),
    fc.uint8Array({ maxLength: 100 }),
    fc.uint8Array({ minLength: 64, maxLength: 64 })
      .map((point) => concatBytes(DEVICE_KEY.subarray(0, 27), point)),
  );
  fc.assert(fc.property(key, fc.uint8Array({ maxLength: 80 }), (deviceKey, signature) => {
    assert.throws(() => verifyDeviceAuth({ deviceKey, signature }, BINDING), ProtocolError);
  }));
});
