/**
 * The secrets of a session, as Welcome carries them and as both ends seal with them (punktfunk/1 specification 2.3, 4.4).
 *
 *     cipher               key of Welcome     key behind the cipher byte    seals
 *     AES-128-GCM          16 random bytes    absent                        the first
 *     ChaCha20-Poly1305    16 random bytes    32 random bytes               the second
 *
 * @module
 */
import { SEAL_KEY_SIZE_BYTES, type SealCipher } from "../wire_job.ts";
import { SEAL_SALT_SIZE_BYTES, type SealSecrets } from "./video_seal.ts";
import type { Welcome } from "./welcome.ts";

export type WelcomeSecrets = Pick<Welcome, "key" | "salt" | "chaChaKey">;

/** New ones; with ChaCha20-Poly1305 the AES key seals nothing, and is random all the same. */
export function mintWelcomeSecrets(
  cipher: SealCipher,
  randomBytes: (sizeBytes: number) => Uint8Array,
): WelcomeSecrets {
  return {
    key: randomBytes(SEAL_KEY_SIZE_BYTES["aes-128-gcm"]),
    salt: randomBytes(SEAL_SALT_SIZE_BYTES),
    chaChaKey: cipher === "chacha20-poly1305"
      ? randomBytes(SEAL_KEY_SIZE_BYTES[cipher])
      : undefined,
  };
}

/** What seals the packets of a session with these. */
export function sealSecretsOf({ key, salt, chaChaKey }: WelcomeSecrets): SealSecrets {
  return chaChaKey === undefined
    ? { cipher: "aes-128-gcm", key, salt }
    : { cipher: "chacha20-poly1305", key: chaChaKey, salt };
}
