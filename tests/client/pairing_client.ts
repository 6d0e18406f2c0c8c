/**
 * The five phases of pairing from the client's side (GameStream specification 3.4), written without the host's arithmetic.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  sign,
  verify,
  X509Certificate,
} from "node:crypto";
import type { ClientIdentity, NvHttpClient, NvHttpDocument } from "./nvhttp_client.ts";

export type PairingFailure =
  /** Phase 1 was refused. */
  | "refused"
  | "wrong-pin"
  /** The host's secret is not signed by its certificate. */
  | "wrong-signature"
  /** The host found something wrong with the client. */
  | "not-accepted";

export class PairingError extends Error {
  override readonly name = "PairingError";
  constructor(readonly reason: PairingFailure) {
    super(`Pairing failed: ${reason}`);
  }
}

const COMMON = { devicename: "roth", updateState: "1" };
const PIN_ENTRY_TIMEOUT_MS = 60_000;

/** Run all phases; the host's certificate is pinned afterwards. Throws PairingError, after `/unpair` as stock clients do. */
export async function pairWith(
  http: NvHttpClient,
  options: {
    readonly identity: ClientIdentity;
    readonly pin: string;
    /** Called once phase 1 is on its way: whoever types the PIN at the host. */
    readonly showPin: (pin: string) => void | Promise<void>;
  },
): Promise<void> {
  try {
    await runPhases(http, options);
  } catch (error) {
    if (error instanceof PairingError) await http.getHttp("/unpair");
    throw error;
  }
}

async function runPhases(
  http: NvHttpClient,
  options: Parameters<typeof pairWith>[1],
): Promise<void> {
  const { identity, pin, showPin } = options;
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const asking = http.getHttp("/pair", {
    ...COMMON,
    phrase: "getservercert",
    salt: salt.toHex(),
    clientcert: new TextEncoder().encode(identity.certificatePem).toHex(),
  });
  const [first] = await Promise.all([withTimeout(asking), showPin(pin)]);
  const hostPem = new TextDecoder().decode(Uint8Array.fromHex(first.get("plaincert")));
  if (first.get("paired") !== "1" || hostPem === "") throw new PairingError("refused");
  const host = new X509Certificate(hostPem);
  const hostDer = new Uint8Array(host.raw);
  const key = sha256(salt, new TextEncoder().encode(pin)).subarray(0, 16);

  const challenge = crypto.getRandomValues(new Uint8Array(16));
  const second = await phase(http, { clientchallenge: encrypt(key, challenge).toHex() });
  const response = decrypt(key, Uint8Array.fromHex(second.get("challengeresponse")));
  const serverHash = response.subarray(0, 32);
  const serverChallenge = response.subarray(32, 48);
  const clientSecret = crypto.getRandomValues(new Uint8Array(16));
  const clientSignature = signatureOf(
    new Uint8Array(new X509Certificate(identity.certificatePem).raw),
  );
  const clientHash = sha256(serverChallenge, clientSignature, clientSecret);

  const third = await phase(http, { serverchallengeresp: encrypt(key, clientHash).toHex() });
  const pairingSecret = Uint8Array.fromHex(third.get("pairingsecret"));
  const serverSecret = pairingSecret.subarray(0, 16);
  if (!verify("sha256", serverSecret, host.publicKey, pairingSecret.subarray(16))) {
    throw new PairingError("wrong-signature");
  }
  const expected = sha256(challenge, signatureOf(hostDer), serverSecret);
  if (expected.toHex() !== serverHash.toHex()) throw new PairingError("wrong-pin");

  const secretSignature = new Uint8Array(sign("sha256", clientSecret, identity.keyPem));
  await phase(http, { clientpairingsecret: clientSecret.toHex() + secretSignature.toHex() });
  http.pin(hostDer);
  http.useHttpsPort(Number((await http.getHttp("/serverinfo")).get("HttpsPort")));
  const last = await http.getHttps("/pair", { ...COMMON, phrase: "pairchallenge" });
  if (last.get("paired") !== "1") throw new PairingError("not-accepted");
}

async function phase(http: NvHttpClient, query: Record<string, string>): Promise<NvHttpDocument> {
  const answer = await http.getHttp("/pair", { ...COMMON, ...query });
  if (answer.get("paired") !== "1") throw new PairingError("not-accepted");
  return answer;
}

/** Phase 1 is held open for as long as a person takes. */
function withTimeout<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error("Nobody typed the PIN")), PIN_ENTRY_TIMEOUT_MS);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

function encrypt(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return new Uint8Array([...cipher.update(bytes), ...cipher.final()]);
}

function decrypt(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return new Uint8Array([...decipher.update(bytes), ...decipher.final()]);
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** An RSA-2048 certificate ends with its signature. */
function signatureOf(certificateDer: Uint8Array): Uint8Array {
  return certificateDer.subarray(-256);
}
