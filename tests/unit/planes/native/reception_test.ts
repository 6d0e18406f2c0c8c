import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { toHex } from "../../../../src/lib/bytes.ts";
import type { NativeEnvironment } from "../../../../src/planes/native/environment.ts";
import { receive } from "../../../../src/planes/native/reception.ts";
import type { AdmittedClient } from "../../../../src/planes/native/stream.ts";
import { GRANTS_ALL, GRANTS_VIEW_ONLY } from "../../../../src/protocol/punktfunk1/caps.ts";
import {
  encodeDeviceKey,
  signDeviceAuth,
} from "../../../../src/protocol/punktfunk1/device_auth.ts";
import { encodeFrame, FrameReader } from "../../../../src/protocol/punktfunk1/framing.ts";
import {
  encodeHello,
  type Hello,
  HELLO_DEFAULTS,
} from "../../../../src/protocol/punktfunk1/hello.ts";
import { ClientPairing } from "../../../../src/protocol/punktfunk1/pairing_ceremony.ts";
import {
  decodePairing,
  encodePairing,
} from "../../../../src/protocol/punktfunk1/pairing_messages.ts";
import { startSpake2 } from "../../../../src/protocol/spake2.ts";
import type { QuicStream } from "../../../../src/quic/ports.ts";
import { openNativeTrust } from "../../../../src/trust/native_trust.ts";
import { connectFakes, type FakeEndOptions } from "../../../support/fake_quic.ts";

const CERTIFICATE = Uint8Array.of(1, 2, 3, 4);
const HOST_CERTIFICATE = Uint8Array.of(9, 9, 9);
const HELLO: Hello = { ...HELLO_DEFAULTS, mode: { width: 1280, height: 720, refreshHz: 60 } };

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
const FINGERPRINT = toHex(sha256(CERTIFICATE));

interface Lab extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly environment: NativeEnvironment;
  readonly served: AdmittedClient[];
  /** Connect, and receive what comes. */
  connect(
    client?: FakeEndOptions,
    options?: { readonly asksForClientCertificate?: boolean },
  ): ReturnType<typeof connectFakes> & { readonly received: Promise<void> };
}

async function openLab(policy: "required" | "open" = "required"): Promise<Lab> {
  const directory = await Deno.makeTempDir();
  const clock = new FakeClock();
  const log = () => {};
  const trust = await openNativeTrust(directory, { clock, onPending: log, onFault: log });
  const environment = {
    clock,
    logger: { debug: log, info: log, warn: log, error: log },
    identity: {
      certificateDer: HOST_CERTIFICATE,
      fingerprint: toHex(sha256(HOST_CERTIFICATE)),
    },
    randomBytes: (sizeBytes: number) => new Uint8Array(randomBytes(sizeBytes)),
    policy,
    trust,
    interfaces: () => [],
  } as unknown as NativeEnvironment;
  const served: AdmittedClient[] = [];
  return {
    clock,
    environment,
    served,
    connect(client = {}, { asksForClientCertificate = true } = {}) {
      const ends = connectFakes(client);
      const received = receive(ends.host, {
        environment,
        asksForClientCertificate,
        serve: (admitted) => {
          served.push(admitted);
          return Promise.resolve({ close: "done", reason: "served" });
        },
      });
      return { ...ends, received };
    },
    async [Symbol.asyncDispose]() {
      trust[Symbol.dispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function sendFirst(
  client: { openStream(): Promise<QuicStream | undefined> },
  payload: Uint8Array,
): Promise<QuicStream> {
  const stream = await client.openStream();
  assert.ok(stream);
  await stream.write(encodeFrame(payload));
  return stream;
}

/** The code and reason the client reads off the closed connection. */
async function closing(connected: ReturnType<Lab["connect"]>): Promise<[number, string]> {
  await connected.received;
  const { code, reason } = await connected.client.closed;
  return [code, reason];
}

async function hello(
  lab: Lab,
  change: Partial<Hello>,
  client: FakeEndOptions = { certificateDer: CERTIFICATE },
) {
  const connected = lab.connect(client);
  await sendFirst(connected.client, encodeHello({ ...HELLO, ...change }));
  return connected;
}

Deno.test("receive() closes with 0x67 for another version", async () => {
  await using lab = await openLab("open");
  assert.equal((await closing(await hello(lab, { abiVersion: 3 })))[0], 0x67);
  assert.equal(lab.served.length, 0);
});

Deno.test("receive() closes with 0x68 for a first message that is garbage", async () => {
  await using lab = await openLab("open");
  for (const payload of [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(65_535)]) {
    const connected = lab.connect();
    await sendFirst(connected.client, payload);
    assert.equal((await closing(connected))[0], 0x68);
  }
});

Deno.test("receive() gives up on a client that opens no stream, or says nothing, for 10 s", async () => {
  await using lab = await openLab();
  const silent = lab.connect();
  lab.clock.advance(10_000);
  await closing(silent);
  const mute = lab.connect();
  await mute.client.openStream();
  await new Promise((resolve) => setTimeout(resolve, 0));
  lab.clock.advance(10_000);
  assert.equal((await closing(mute))[0], 0x68);
  assert.equal(lab.clock.pendingTimers, 0);
});

Deno.test("receive() takes a connection closed at once for somebody who only looked", async () => {
  await using lab = await openLab();
  const connected = lab.connect();
  connected.client.close(0, "");
  await connected.received;
  assert.equal(lab.clock.pendingTimers, 0);
});

Deno.test("receive() serves everybody where the host is open, with all rights", async () => {
  await using lab = await openLab("open");
  await closing(await hello(lab, {}, {}));
  assert.equal(lab.served[0]?.access.grants, GRANTS_ALL);
  assert.equal(lab.served[0]?.fingerprint, undefined);
});

Deno.test("receive() closes with 0x63 where pairing is required and no certificate was shown", async () => {
  await using lab = await openLab();
  assert.equal((await closing(await hello(lab, {}, {})))[0], 0x63);
});

Deno.test("receive() serves a paired device with its rights, and none after it was unpaired", async () => {
  await using lab = await openLab();
  const { clients } = lab.environment.trust;
  const device = { fingerprint: FINGERPRINT, kind: "certificate", name: "Deck" } as const;
  await clients.pair(device, { grants: GRANTS_VIEW_ONLY });
  assert.deepEqual(await closing(await hello(lab, {})), [0, "served"]);
  assert.deepEqual(
    [lab.served[0]?.fingerprint, lab.served[0]?.access.grants],
    [FINGERPRINT, GRANTS_VIEW_ONLY],
  );
  await clients.remove(FINGERPRINT);
  const again = await hello(lab, {});
  await settle(() => lab.environment.trust.approvals.list().length === 1);
  again.client.close(0, "");
  await again.received;
  assert.equal(lab.served.length, 1);
});

Deno.test("receive() closes with 0x6A when a device without the right names a game", async () => {
  await using lab = await openLab();
  const device = { fingerprint: FINGERPRINT, kind: "certificate", name: "Deck" } as const;
  await lab.environment.trust.clients.pair(device, { grants: GRANTS_VIEW_ONLY });
  assert.equal((await closing(await hello(lab, { launch: "steam:570" })))[0], 0x6a);
});

/** Let promises run until `isDone`; everything here is in memory, so it is a matter of turns. */
async function settle(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !isDone(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.ok(isDone());
}

async function park(lab: Lab) {
  const connected = await hello(lab, { name: "New device" });
  await settle(() => lab.environment.trust.approvals.list().length === 1);
  const [pending] = lab.environment.trust.approvals.list();
  assert.ok(pending);
  return { connected, pending };
}

Deno.test("receive() parks an unknown device and serves it on the same connection once approved", async () => {
  await using lab = await openLab();
  const { connected, pending } = await park(lab);
  assert.equal(pending.name, "New device");
  await lab.environment.trust.approvals.approve(pending.id, { offer: {} });
  assert.deepEqual(await closing(connected), [0, "served"]);
  assert.equal(lab.served[0]?.fingerprint, FINGERPRINT);
});

Deno.test("receive() tells a parked device that it was denied, that time is over, that a newer one came", async () => {
  await using lab = await openLab();
  const denied = await park(lab);
  lab.environment.trust.approvals.deny(denied.pending.id);
  assert.equal((await closing(denied.connected))[0], 0x64);
  const older = await park(lab);
  const newer = await hello(lab, {});
  assert.equal((await closing(older.connected))[0], 0x66);
  lab.clock.advance(180_000);
  assert.equal((await closing(newer))[0], 0x65);
  assert.equal(lab.served.length, 0);
});

Deno.test("receive() knows a device by its key where no certificate can be asked for", async () => {
  await using lab = await openLab();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const deviceKey = encodeDeviceKey(privateKey);
  const fingerprint = toHex(sha256(deviceKey));
  await lab.environment.trust.clients.pair({ fingerprint, kind: "device-key", name: "Probe" }, {});
  const prove = async (certificateHash: Uint8Array) => {
    const connected = lab.connect({}, { asksForClientCertificate: false });
    const stream = await sendFirst(connected.client, encodeHello(HELLO));
    const reader = new FrameReader();
    reader.push(await stream.read() ?? new Uint8Array(0));
    const challenge = decodePairing(reader.next() ?? new Uint8Array(0));
    assert.equal(challenge.kind, "auth-challenge");
    const { nonce } = challenge as Extract<typeof challenge, { kind: "auth-challenge" }>;
    const signature = signDeviceAuth(privateKey, { certificateHash, nonce });
    await stream.write(encodeFrame(encodePairing({ kind: "auth-response", deviceKey, signature })));
    return await closing(connected);
  };
  assert.deepEqual(await prove(sha256(HOST_CERTIFICATE)), [0, "served"]);
  // Somebody in between shows another certificate: the signature is over that one.
  assert.equal((await prove(sha256(CERTIFICATE)))[0], 0x68);
  assert.deepEqual(lab.served.map((client) => client.fingerprint), [fingerprint]);
});

/** The client's side of the ceremony; gives the close code. */
async function pair(
  lab: Lab,
  pin: string,
  client: FakeEndOptions = { certificateDer: CERTIFICATE },
) {
  const connected = lab.connect(client);
  const ceremony = new ClientPairing({
    startSpake2,
    randomBytes: (sizeBytes) => new Uint8Array(randomBytes(sizeBytes)),
    pin,
    name: "Test client",
    hostFingerprint: sha256(HOST_CERTIFICATE),
    identity: { certificateFingerprint: sha256(CERTIFICATE) },
  });
  const stream = await sendFirst(
    connected.client,
    encodePairing({ kind: "pair-request", ...ceremony.request }),
  );
  const reader = new FrameReader();
  const next = async () => {
    const chunk = await stream.read();
    if (chunk === undefined) return undefined;
    reader.push(chunk);
    const payload = reader.next();
    return payload === undefined ? undefined : decodePairing(payload);
  };
  const challenge = await next();
  if (challenge?.kind !== "pair-challenge") return (await closing(connected))[0];
  const answer = ceremony.receiveChallenge(challenge);
  if (answer.kind === "wrong-pin") {
    connected.client.close(1, "");
    await connected.received;
    return "wrong-pin";
  }
  await stream.write(encodeFrame(encodePairing({ kind: "pair-proof", ...answer.proof })));
  const result = await next();
  assert.equal(result?.kind, "pair-result");
  connected.client.close(0, "");
  await connected.received;
  return result?.kind === "pair-result" && result.isPaired ? "paired" : "refused";
}

Deno.test("receive() pairs a device that knows the PIN, once a window", async () => {
  await using lab = await openLab();
  const { window, clients } = lab.environment.trust;
  const { pin } = window.arm();
  assert.equal(await pair(lab, pin), "paired");
  assert.equal(clients.get(FINGERPRINT)?.name, "Test client");
  lab.clock.advance(2_000);
  assert.equal(await pair(lab, pin), 0x60);
});

Deno.test("receive() uses a window up for a wrong PIN, and lets attempts through two seconds apart", async () => {
  await using lab = await openLab();
  const { window, clients } = lab.environment.trust;
  window.arm({ pin: "4321" });
  assert.equal(await pair(lab, "1234"), "wrong-pin");
  assert.equal(await pair(lab, "4321"), 0x62);
  lab.clock.advance(2_000);
  assert.equal(await pair(lab, "4321"), 0x60);
  window.arm({ pin: "4321", fingerprint: "ab".repeat(32) });
  lab.clock.advance(2_000);
  assert.equal(await pair(lab, "4321"), 0x61);
  window.arm({ pin: "4321" });
  lab.clock.advance(120_000);
  assert.equal(await pair(lab, "4321"), 0x60);
  assert.equal(clients.size, 0);
});

Deno.test("receive() asks a device without a certificate for its identity before anything else", async () => {
  await using lab = await openLab();
  lab.environment.trust.window.arm({ pin: "4321" });
  assert.equal(await pair(lab, "4321", {}), 0x63);
  assert.ok(lab.environment.trust.window.armed());
});

Deno.test("receive() drops a client that leaves its ceremony or its parking place", async () => {
  await using lab = await openLab();
  const { connected } = await park(lab);
  connected.host.loseByIdle();
  await connected.received;
  assert.equal(lab.served.length, 0);
});

Deno.test("receive() pairs no key where it would ask for a certificate", async () => {
  await using lab = await openLab();
  lab.environment.trust.window.arm({ pin: "4321" });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const connected = lab.connect({});
  await sendFirst(
    connected.client,
    encodePairing({
      kind: "pair-request",
      name: "Probe",
      spakeA: new Uint8Array(33),
      deviceKey: encodeDeviceKey(privateKey),
    }),
  );
  assert.equal((await closing(connected))[0], 0x63);
  assert.ok(lab.environment.trust.window.armed());
});
