import assert from "node:assert/strict";
import {
  mintWelcomeSecrets,
  sealSecretsOf,
} from "../../../../src/protocol/punktfunk1/welcome_secrets.ts";

/** Arrays whose bytes say the how-manieth call made them. */
function countingBytes() {
  let calls = 0;
  return (sizeBytes: number) => new Uint8Array(sizeBytes).fill(++calls);
}

Deno.test("mintWelcomeSecrets() gives one key and a salt to AES-128-GCM, which seals with that key", () => {
  const secrets = mintWelcomeSecrets("aes-128-gcm", countingBytes());
  assert.deepEqual([secrets.key.byteLength, secrets.salt.byteLength], [16, 4]);
  assert.equal(secrets.chaChaKey, undefined);
  assert.deepEqual(sealSecretsOf(secrets), {
    cipher: "aes-128-gcm",
    key: secrets.key,
    salt: secrets.salt,
  });
});

Deno.test("mintWelcomeSecrets() gives ChaCha20-Poly1305 a key of its own and fills the other with as random bytes", () => {
  const secrets = mintWelcomeSecrets("chacha20-poly1305", countingBytes());
  const { key, salt, chaChaKey } = secrets;
  assert.deepEqual([key.byteLength, salt.byteLength, chaChaKey?.byteLength], [16, 4, 32]);
  assert.equal(new Set([key[0], salt[0], chaChaKey?.[0]]).size, 3);
  assert.deepEqual(sealSecretsOf(secrets), { cipher: "chacha20-poly1305", key: chaChaKey, salt });
});
