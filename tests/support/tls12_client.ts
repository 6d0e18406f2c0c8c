/**
 * A TLS 1.2 client that can present a certificate without holding its key, which no library lets one do.
 *
 *     ClientHello →
 *     ← ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone
 *     Certificate, ClientKeyExchange, CertificateVerify, [ChangeCipherSpec], Finished →
 *     ← [ChangeCipherSpec], Finished            or an alert
 *
 * One suite, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 over X25519. It checks nothing the server says.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { concatBytes, viewOf } from "../../src/lib/bytes.ts";

const RECORD_CHANGE_CIPHER_SPEC = 20;
const RECORD_ALERT = 21;
const RECORD_HANDSHAKE = 22;
const RECORD_DATA = 23;
const SERVER_KEY_EXCHANGE = 12;
const SERVER_HELLO_DONE = 14;
const X25519_SPKI_PREFIX = Uint8Array.fromHex("302a300506032b656e032100");

/** What came of it: the text of the answer, or the server's alert. */
export type TlsOutcome = { readonly text: string } | { readonly alert: number };

/** Send `request` to a server on the loopback address, with `certificateDer` and a signature made by `signingKey`. */
export async function askOverTls12(port: number, options: {
  readonly certificateDer: Uint8Array;
  readonly signingKey: KeyObject;
  readonly request: string;
}): Promise<TlsOutcome> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const client = new Tls12Client(connection);
  return await client.run(options);
}

class AlertError extends Error {
  constructor(readonly alert: number) {
    super(`alert ${alert}`);
  }
}

class Tls12Client {
  readonly #connection: Deno.Conn;
  readonly #random = crypto.getRandomValues(new Uint8Array(32));
  #received = new Uint8Array();
  #transcript = new Uint8Array();

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  async run(options: {
    readonly certificateDer: Uint8Array;
    readonly signingKey: KeyObject;
    readonly request: string;
  }): Promise<TlsOutcome> {
    try {
      await this.#sendHandshake(1, this.#hello());
      const { serverRandom, serverPublic } = await this.#readServerFlight();
      const keys = generateKeyPairSync("x25519");
      const own = new Uint8Array(keys.publicKey.export({ type: "spki", format: "der" })).slice(-32);
      const shared = diffieHellman({
        privateKey: keys.privateKey,
        publicKey: createPublicKey({
          key: concatBytes(X25519_SPKI_PREFIX, serverPublic) as never,
          format: "der",
          type: "spki",
        }),
      });
      const certificate = withLength(3, options.certificateDer);
      await this.#sendHandshake(11, withLength(3, certificate));
      await this.#sendHandshake(16, withLength(1, own));
      const signature = sign("sha256", this.#transcript, options.signingKey);
      await this.#sendHandshake(
        15,
        concatBytes(Uint8Array.of(0x04, 0x01), withLength(2, signature)),
      );
      return await this.#finish({
        master: prf(shared, "master secret", concatBytes(this.#random, serverRandom), 48),
        serverRandom,
        request: options.request,
      });
    } catch (error) {
      if (error instanceof AlertError) return { alert: error.alert };
      throw error;
    }
  }

  async #finish(session: {
    readonly master: Uint8Array;
    readonly serverRandom: Uint8Array;
    readonly request: string;
  }): Promise<TlsOutcome> {
    const block = prf(
      session.master,
      "key expansion",
      concatBytes(session.serverRandom, this.#random),
      40,
    );
    const [clientKey, serverKey, clientIv, serverIv] = [
      block.subarray(0, 16),
      block.subarray(16, 32),
      block.subarray(32, 36),
      block.subarray(36, 40),
    ] as const;
    const hash = new Uint8Array(createHash("sha256").update(this.#transcript).digest());
    const finished = concatBytes(
      Uint8Array.of(20, 0, 0, 12),
      prf(session.master, "client finished", hash, 12),
    );
    await this.#sendRecord(RECORD_CHANGE_CIPHER_SPEC, Uint8Array.of(1));
    await this.#sendRecord(
      RECORD_HANDSHAKE,
      seal(finished, { key: clientKey, iv: clientIv, sequence: 0, type: RECORD_HANDSHAKE }),
    );
    await this.#sendRecord(
      RECORD_DATA,
      seal(new TextEncoder().encode(session.request), {
        key: clientKey,
        iv: clientIv,
        sequence: 1,
        type: RECORD_DATA,
      }),
    );
    for (;;) {
      const record = await this.#readRecord();
      if (record.type === RECORD_DATA) {
        return { text: new TextDecoder().decode(open(record.body, serverKey, serverIv)) };
      }
    }
  }

  #hello(): Uint8Array {
    const extensions = concatBytes(
      Uint8Array.fromHex("000a00040002001d"), // supported_groups: X25519
      Uint8Array.fromHex("000d0006000408040401"), // RSA-PSS and PKCS#1 with SHA-256
      Uint8Array.fromHex("ff01000100"), // renegotiation_info
    );
    return concatBytes(
      Uint8Array.of(3, 3),
      this.#random,
      Uint8Array.of(0), // no session to resume
      Uint8Array.of(0, 2, 0xc0, 0x2f),
      Uint8Array.of(1, 0), // no compression
      withLength(2, extensions),
    );
  }

  async #readServerFlight() {
    let pending = new Uint8Array();
    let serverRandom = new Uint8Array();
    let serverPublic = new Uint8Array();
    for (;;) {
      const record = await this.#readRecord();
      pending = concatBytes(pending, record.body);
      while (pending.byteLength >= 4) {
        const size = 4 + (viewOf(pending).getUint32(0) & 0xffffff);
        if (pending.byteLength < size) break;
        const message = pending.slice(0, size);
        pending = pending.slice(size);
        this.#transcript = concatBytes(this.#transcript, message);
        if (message[0] === 2) serverRandom = message.slice(6, 38);
        if (message[0] === SERVER_KEY_EXCHANGE) serverPublic = message.slice(8, 40);
        if (message[0] === SERVER_HELLO_DONE) return { serverRandom, serverPublic };
      }
    }
  }

  async #sendHandshake(type: number, body: Uint8Array): Promise<void> {
    const message = concatBytes(Uint8Array.of(type), withLength(3, body));
    this.#transcript = concatBytes(this.#transcript, message);
    await this.#sendRecord(RECORD_HANDSHAKE, message);
  }

  async #sendRecord(type: number, body: Uint8Array): Promise<void> {
    // The server may have hung up already; what it said is still to be read.
    await this.#connection.write(concatBytes(Uint8Array.of(type, 3, 3), withLength(2, body)))
      .catch(() => 0);
  }

  async #readRecord(): Promise<{ type: number; body: Uint8Array<ArrayBuffer> }> {
    const header = await this.#read(5);
    const body = await this.#read(viewOf(header).getUint16(3));
    if (header[0] === RECORD_ALERT) throw new AlertError(body[1] ?? 0);
    return { type: header[0] ?? 0, body };
  }

  async #read(sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(4096);
    while (this.#received.byteLength < sizeBytes) {
      const count = await this.#connection.read(buffer);
      if (count === null) throw new Error("the server hung up without an alert");
      this.#received = concatBytes(this.#received, buffer.subarray(0, count));
    }
    const bytes = this.#received.slice(0, sizeBytes);
    this.#received = this.#received.slice(sizeBytes);
    return bytes;
  }
}

function withLength(sizeBytes: 1 | 2 | 3, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, body.byteLength);
  return concatBytes(length.subarray(4 - sizeBytes), body);
}

function prf(secret: Uint8Array, label: string, seed: Uint8Array, sizeBytes: number): Uint8Array {
  const labelled = concatBytes(new TextEncoder().encode(label), seed);
  const hmac = (bytes: Uint8Array) =>
    new Uint8Array(createHmac("sha256", secret).update(bytes).digest());
  let a: Uint8Array = labelled;
  let output = new Uint8Array();
  while (output.byteLength < sizeBytes) {
    a = hmac(a);
    output = concatBytes(output, hmac(concatBytes(a, labelled)));
  }
  return output.slice(0, sizeBytes);
}

function seal(plain: Uint8Array, record: {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly sequence: number;
  readonly type: number;
}): Uint8Array {
  const sequence = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, record.sequence);
  const cipher = createCipheriv("aes-128-gcm", record.key, concatBytes(record.iv, sequence));
  cipher.setAAD(concatBytes(sequence, Uint8Array.of(record.type, 3, 3), lengthOf(plain)));
  const sealed = concatBytes(cipher.update(plain), cipher.final());
  return concatBytes(sequence, sealed, cipher.getAuthTag());
}

/** Without its tag: the test wants the words, not the proof. */
function open(body: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array {
  const cipher = createDecipheriv("aes-128-gcm", key, concatBytes(iv, body.subarray(0, 8)));
  return new Uint8Array(cipher.update(body.subarray(8, -16)));
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(bytes.byteLength >> 8, bytes.byteLength & 0xff);
}
