/**
 * The client's side of GameStream pairing, for tests: makes each phase's parameters and reads each reply.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  X509Certificate,
} from "node:crypto";
import { concatBytes, equalBytes } from "../../src/lib/bytes.ts";

export type Parameters = Record<string, string>;

const CHALLENGE = Uint8Array.fromHex("101112131415161718191a1b1c1d1e1f");
const SECRET = Uint8Array.fromHex("707172737475767778797a7b7c7d7e7f");
const SALT = Uint8Array.fromHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");

export class PairingClientDouble {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly #key: Uint8Array;
  #hostSignature = new Uint8Array();
  #hostPem = "";
  #expectedHash = new Uint8Array();
  #serverChallenge = new Uint8Array();

  constructor(identity: {
    readonly certificatePem: string;
    readonly keyPem: string;
    readonly pin: string;
  }) {
    this.certificatePem = identity.certificatePem;
    this.keyPem = identity.keyPem;
    this.#key = sha256(concatBytes(SALT, new TextEncoder().encode(identity.pin))).slice(0, 16);
  }

  phase1(): Parameters {
    return {
      phrase: "getservercert",
      salt: SALT.toHex(),
      clientcert: new TextEncoder().encode(this.certificatePem).toHex(),
    };
  }

  /** `plaincert` of phase 1's reply in, parameters of phase 2 out. */
  phase2(plaincert: string): Parameters {
    this.#hostPem = new TextDecoder().decode(Uint8Array.fromHex(plaincert));
    const der = new Uint8Array(new X509Certificate(this.#hostPem).raw);
    this.#hostSignature = der.slice(-256);
    return { clientchallenge: this.#ecb(CHALLENGE, true).toHex() };
  }

  phase3(challengeresponse: string): Parameters {
    const response = this.#ecb(Uint8Array.fromHex(challengeresponse), false);
    this.#expectedHash = response.slice(0, 32);
    this.#serverChallenge = response.slice(32);
    const own = new Uint8Array(new X509Certificate(this.certificatePem).raw).slice(-256);
    const hash = sha256(concatBytes(this.#serverChallenge, own, SECRET));
    return { serverchallengeresp: this.#ecb(hash, true).toHex() };
  }

  /** `pinWasRight` is what the client would tell its user after phase 3. */
  phase4(pairingsecret: string): { parameters: Parameters; pinWasRight: boolean } {
    const bytes = Uint8Array.fromHex(pairingsecret);
    const secret = bytes.subarray(0, 16);
    const hostKey = createPublicKey(new X509Certificate(this.#hostPem).publicKey.export({
      type: "spki",
      format: "pem",
    }));
    if (!verify("sha256", secret, hostKey, bytes.subarray(16))) {
      throw new Error("the host's signature is wrong");
    }
    const hash = sha256(concatBytes(CHALLENGE, this.#hostSignature, secret));
    const signature = sign("sha256", SECRET, createPrivateKey(this.keyPem));
    return {
      parameters: { clientpairingsecret: concatBytes(SECRET, signature).toHex() },
      pinWasRight: equalBytes(hash, this.#expectedHash),
    };
  }

  #ecb(bytes: Uint8Array, isEncrypting: boolean): Uint8Array<ArrayBuffer> {
    const make = isEncrypting ? createCipheriv : createDecipheriv;
    const cipher = make("aes-128-ecb", this.#key, null).setAutoPadding(false);
    return concatBytes(cipher.update(Buffer.from(bytes)), cipher.final());
  }
}

function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
