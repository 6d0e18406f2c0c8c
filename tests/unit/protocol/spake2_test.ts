import assert from "node:assert/strict";
import fc from "fast-check";
import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes, parseHex, toHex } from "../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../src/lib/errors.ts";
import {
  decodeSpake2Message,
  SPAKE2_RANDOM_SIZE_BYTES,
  type Spake2Options,
  spake2PasswordScalar,
  startSpake2,
} from "../../../src/protocol/spake2.ts";
import vectors from "../../vectors/punktfunk1-pairing.json" with { type: "json" };

const utf8 = (text: string) => new TextEncoder().encode(text);

function hex(text: string): Uint8Array {
  const bytes = parseHex(text);
  assert.ok(bytes !== undefined);
  return bytes;
}

/** Randomness that makes `scalar` the secret of a run. */
function randomOf(scalar: bigint): (sizeBytes: number) => Uint8Array {
  return (sizeBytes) => {
    assert.equal(sizeBytes, SPAKE2_RANDOM_SIZE_BYTES);
    return hex(scalar.toString(16).padStart(2 * sizeBytes, "0"));
  };
}

function fromLittleEndian(text: string): bigint {
  return BigInt(`0x${toHex(hex(text).reverse())}`);
}

const OPTIONS: Spake2Options = {
  password: utf8("1234"),
  idA: utf8("a"),
  idB: utf8("b"),
  randomBytes: (sizeBytes) => crypto.getRandomValues(new Uint8Array(sizeBytes)),
};

Deno.test("startSpake2() gives the published messages and key on both sides", () => {
  for (const vector of vectors.spake2) {
    const options = {
      password: utf8(vector.passwordText),
      idA: utf8(vector.idAText),
      idB: utf8(vector.idBText),
    };
    assert.equal(spake2PasswordScalar(options.password), BigInt(vector.passwordScalar));
    const a = startSpake2("A", { ...options, randomBytes: randomOf(BigInt(vector.x)) });
    const b = startSpake2("B", { ...options, randomBytes: randomOf(BigInt(vector.y)) });
    assert.equal(toHex(a.message), vector.messageA);
    assert.equal(toHex(b.message), vector.messageB);
    assert.equal(toHex(a.finish(b.message)), vector.key);
    assert.equal(toHex(b.finish(a.message)), vector.key);
  }
});

Deno.test("startSpake2() gives the key of the specification's ceremony", () => {
  const { ceremony } = vectors;
  const options = {
    password: utf8(ceremony.pin),
    idA: hex(ceremony.clientFingerprint),
    idB: hex(ceremony.hostFingerprint),
  };
  assert.equal(
    spake2PasswordScalar(options.password),
    fromLittleEndian(ceremony.passwordScalarLittleEndian),
  );
  const x = fromLittleEndian(ceremony.xLittleEndian);
  const y = fromLittleEndian(ceremony.yLittleEndian);
  const a = startSpake2("A", { ...options, randomBytes: randomOf(x) });
  const b = startSpake2("B", { ...options, randomBytes: randomOf(y) });
  assert.equal(toHex(a.finish(b.message)), ceremony.key);
  assert.equal(toHex(b.finish(a.message)), ceremony.key);
});

Deno.test("startSpake2() takes its randomness modulo the order", () => {
  const order = ed25519.Point.Fn.ORDER;
  const message = (scalar: bigint) =>
    toHex(startSpake2("A", { ...OPTIONS, randomBytes: randomOf(scalar) }).message);
  assert.equal(message(7n + 3n * order), message(7n));
  assert.notEqual(message(8n), message(7n));
  assert.throws(() => message(order), RangeError);
});

Deno.test("Spake2Run.finish() gives different keys when password or either name differs", () => {
  const host = startSpake2("B", OPTIONS);
  const keyWith = (changed: Partial<Spake2Options>) => {
    const client = startSpake2("A", { ...OPTIONS, ...changed });
    return [toHex(client.finish(host.message)), toHex(host.finish(client.message))];
  };
  const [own, other] = keyWith({});
  assert.equal(own, other);
  for (const changed of [{ password: utf8("1235") }, { idA: utf8("c") }, { idB: utf8("a") }]) {
    const [client, hosts] = keyWith(changed);
    assert.notEqual(client, hosts);
  }
});

Deno.test("Spake2Run.finish() outlives a peer that makes the shared point the neutral one", () => {
  const blind = ed25519.Point.fromHex(
    "15cfd18e385952982b6a8f8c7854963b58e34388c8e6dae891db756481a02312",
  );
  const point = blind.multiply(spake2PasswordScalar(OPTIONS.password));
  const message = concatBytes(utf8("A"), point.toBytes());
  assert.equal(startSpake2("B", OPTIONS).finish(message).byteLength, 32);
});

Deno.test("decodeSpake2Message() rejects every shortened and lengthened form, the own side and no points", () => {
  const message = hex(vectors.spake2[0]?.messageA ?? "");
  assert.equal(toHex(decodeSpake2Message(message, "A").point.toBytes()), toHex(message).slice(2));
  for (let length = 0; length < message.length; length++) {
    assert.throws(() => decodeSpake2Message(message.subarray(0, length), "A"), ProtocolError);
  }
  assert.throws(() => decodeSpake2Message(concatBytes(message, utf8("x")), "A"), ProtocolError);
  assert.throws(() => decodeSpake2Message(message, "B"), /not of side B/);
  const noPoint = concatBytes(utf8("A"), new Uint8Array(32).fill(2));
  assert.throws(() => decodeSpake2Message(noPoint, "A"), /holds no point/);
});

Deno.test("decodeSpake2Message() throws only ProtocolError on arbitrary bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 30, maxLength: 36 }), (bytes) => {
    bytes[0] = 0x41;
    try {
      decodeSpake2Message(bytes, "A");
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});
