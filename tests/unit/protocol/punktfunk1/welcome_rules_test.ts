import assert from "node:assert/strict";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { decodeWelcome, type Welcome } from "../../../../src/protocol/punktfunk1/welcome.ts";
import { validateWelcome } from "../../../../src/protocol/punktfunk1/welcome_rules.ts";
import { handshakeVector } from "./handshake_vectors.ts";

const USUAL = decodeWelcome(handshakeVector("welcome", "management"));

function isAccepted(changes: Partial<Welcome>): boolean {
  try {
    validateWelcome({ ...USUAL, ...changes });
    return true;
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `${error}`);
    return false;
  }
}

Deno.test("validateWelcome() accepts the specification's messages", () => {
  for (const name of ["short", "management"]) {
    validateWelcome(decodeWelcome(handshakeVector("welcome", name)));
  }
});

Deno.test("validateWelcome() takes even shards of 512 to 9152 bytes", () => {
  const sizes = [510, 511, 512, 513, 514, 9150, 9151, 9152, 9154];
  assert.deepEqual(
    sizes.filter((shardPayloadBytes) => isAccepted({ shardPayloadBytes })),
    [512, 514, 9150, 9152],
  );
  assert.throws(() => validateWelcome({ ...USUAL, shardPayloadBytes: 510 }), { code: "limit" });
});

Deno.test("validateWelcome() takes blocks that the code has room for", () => {
  const blocks = (fecScheme: Welcome["fecScheme"], dataShardsMax: number, fecPercent: number) =>
    isAccepted({ fecScheme, dataShardsMax, fecPercent });
  assert.equal(blocks("gf65536", 0, 10), false);
  assert.equal(blocks("gf65536", 4096, 90), true);
  assert.equal(blocks("gf65536", 40_000, 50), false);
  assert.equal(blocks("gf256", 200, 10), true);
  assert.equal(blocks("gf256", 231, 10), true);
  assert.equal(blocks("gf256", 232, 10), false);
});

Deno.test("validateWelcome() takes frames whose blocks a packet can count", () => {
  // 64 MiB in shards of 1024 are 65536 blocks of one, which is one too many.
  const frames = { bitrateKbps: 0, dataShardsMax: 1 };
  assert.equal(isAccepted({ ...frames, shardPayloadBytes: 1024 }), false);
  assert.equal(isAccepted({ ...frames, shardPayloadBytes: 1026 }), true);
});

Deno.test("validateWelcome() takes no key of zeros for an encrypted session", () => {
  const zeros = new Uint8Array(16);
  assert.throws(() => validateWelcome({ ...USUAL, key: zeros }), { code: "malformed" });
  assert.equal(isAccepted({ key: zeros, isEncrypted: false }), true);
  assert.equal(isAccepted({ key: zeros, chaChaKey: new Uint8Array(32).fill(1) }), true);
  assert.equal(isAccepted({ chaChaKey: new Uint8Array(32) }), false);
});
