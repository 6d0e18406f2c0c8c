import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import { type Logger, SILENT_LOGGER } from "../../../../src/lib/logger.ts";
import {
  ATTEMPTS_PER_MINUTE_MAX,
  HANDSHAKES_MAX,
  HANDSHAKES_PER_ADDRESS_MAX,
  type PairAnswer,
  PairingDesk,
  type PairingOrigin,
  PHASE_WAIT_MS,
  PIN_WAIT_MS,
  UNIQUE_ID_CHARACTERS_MAX,
} from "../../../../src/planes/gamestream/pairing_desk.ts";
import { makeCertificate, toPem } from "../../../support/certificate_maker.ts";
import { PairingClientDouble } from "../../../support/pairing_client.ts";
import vectors from "../../../vectors/gamestream-pairing.json" with { type: "json" };

const ORIGIN: PairingOrigin = {
  peerIp: "192.0.2.9",
  uniqueId: "0123456789ABCDEF",
  deviceName: "Phone",
};
const CLIENT_DER = new Uint8Array(new X509Certificate(vectors.clientCertPem).raw);

/** A desk with the vector's identity and random values, and everything it tells the outside. */
function openDesk(options: { readonly isDiskFull?: boolean } = {}) {
  const clock = new FakeClock();
  const events: string[] = [];
  const stored: { der: Uint8Array; label: string | undefined }[] = [];
  const random = [vectors.phase2.serverSecret, vectors.phase2.serverChallenge];
  const logger: Logger = {
    ...SILENT_LOGGER,
    info: (event) => void events.push(event),
    warn: (event) => void events.push(event),
    error: (event) => void events.push(event),
  };
  let changes = 0;
  const desk = new PairingDesk({
    identity: {
      certificatePem: vectors.serverCertPem,
      certificateSignature: Uint8Array.fromHex(vectors.serverCertSignatureValue),
      key: createPrivateKey(vectors.serverKeyPem),
    },
    clients: {
      add(der, label) {
        if (options.isDiskFull === true) {
          return Promise.reject(new OperationError("storage", "Cannot write: no space is left"));
        }
        stored.push({ der, label });
        return Promise.resolve();
      },
    },
    clock,
    logger,
    onChange: () => void changes++,
    randomBytes: () => Uint8Array.fromHex(random.shift() ?? "00".repeat(16)),
  });
  const send = (parameters: Record<string, string>, origin = ORIGIN) =>
    desk.handle(origin, new URLSearchParams(parameters));
  return { desk, clock, events, stored, send, changes: () => changes };
}

function client(pin: string): PairingClientDouble {
  return new PairingClientDouble({
    certificatePem: vectors.clientCertPem,
    keyPem: vectors.clientKeyPem,
    pin,
  });
}

function elementsOf(answer: PairAnswer): Record<string, unknown> {
  assert.ok(answer.kind === "answered");
  return Object.fromEntries(answer.elements);
}

function statusOf(answer: PairAnswer): number {
  return answer.kind === "refused" ? answer.statusCode : 200;
}

/** True while `promise` is open after everything that was due has run. */
async function isHeld(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol();
  await Promise.resolve();
  return await Promise.race([promise, Promise.resolve().then(() => open)]) === open;
}

Deno.test("PairingDesk gives every reply of the vector and stores the client", async () => {
  const { desk, clock, events, stored, send } = openDesk();
  const first = send(vectors.phase1.request);
  assert.ok(await isHeld(first));
  assert.deepEqual(desk.pending(), [{ ...ORIGIN, fingerprint: vectors.clientCertSha256 }]);
  desk.submitPin({ pin: vectors.pin });
  assert.deepEqual(elementsOf(await first), vectors.phase1.response);
  assert.deepEqual(desk.pending(), []);
  assert.deepEqual(elementsOf(await send(vectors.phase2.request)), vectors.phase2.response);
  assert.deepEqual(elementsOf(await send(vectors.phase3.request)), vectors.phase3.response);
  assert.deepEqual(stored, []);
  assert.deepEqual(elementsOf(await send(vectors.phase4.request)), vectors.phase4.response);
  assert.deepEqual(stored, [{ der: CLIENT_DER, label: "Phone" }]);
  assert.deepEqual(events, ["pairing.waiting", "pairing.done"]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("PairingDesk answers a wrong PIN only in phase 4, and warns", async () => {
  const { desk, events, stored, send } = openDesk();
  const double = client("1234");
  const first = send(double.phase1());
  desk.submitPin({ pin: "9999" });
  const reply1 = elementsOf(await first);
  const reply2 = elementsOf(await send(double.phase2(`${reply1["plaincert"]}`)));
  const reply3 = elementsOf(await send(double.phase3(`${reply2["challengeresponse"]}`)));
  assert.equal(reply3["paired"], "1");
  const { parameters, pinWasRight } = double.phase4(`${reply3["pairingsecret"]}`);
  assert.equal(pinWasRight, false);
  assert.deepEqual(elementsOf(await send(parameters)), { paired: "0" });
  assert.deepEqual(stored, []);
  assert.ok(events.includes("pairing.unfinished"));
  // The next attempt works.
  const again = send(double.phase1());
  desk.submitPin({ pin: "1234" });
  assert.equal(elementsOf(await again)["paired"], "1");
});

Deno.test("PairingDesk ends a handshake whose phases are replayed or out of order", async () => {
  const requests: Record<string, string>[] = [
    vectors.phase1.request,
    vectors.phase2.request,
    vectors.phase3.request,
    vectors.phase4.request,
    { phrase: "pairchallenge" },
  ];
  // After `done` phases, every request but the next one (and but a new phase 1) is out of order.
  for (let done = 1; done <= 3; done++) {
    for (let wrong = 1; wrong < requests.length; wrong++) {
      if (wrong === done) continue;
      const { desk, clock, stored, send } = openDesk();
      const first = send(requests[0] ?? {});
      desk.submitPin({ pin: vectors.pin });
      await first;
      for (let index = 1; index < done; index++) {
        assert.equal(elementsOf(await send(requests[index] ?? {}))["paired"], "1");
      }
      assert.equal(statusOf(await send(requests[wrong] ?? {})), 400, `${done} ${wrong}`);
      assert.equal(statusOf(await send(requests[done] ?? {})), 400, `${done} ${wrong}`);
      assert.deepEqual(stored, []);
      assert.equal(clock.pendingTimers, 0);
    }
  }
});

Deno.test("PairingDesk refuses phases 2 to 5 while it waits for the PIN, and frees the held request", async () => {
  for (const request of [vectors.phase2.request, vectors.phase4.request, { phrase: "x" }]) {
    const { desk, send } = openDesk();
    const first = send(vectors.phase1.request);
    assert.equal(statusOf(await send(request as Record<string, string>)), 400);
    assert.equal(statusOf(await first), 400);
    assert.deepEqual(desk.pending(), []);
  }
  const { send } = openDesk();
  for (const request of [vectors.phase2.request, vectors.phase3.request, vectors.phase4.request]) {
    assert.equal(statusOf(await send(request as Record<string, string>)), 400);
  }
});

Deno.test("PairingDesk stores nobody twice for one run of phases", async () => {
  const { desk, stored, send } = openDesk();
  const first = send(vectors.phase1.request);
  desk.submitPin({ pin: vectors.pin });
  await first;
  await send(vectors.phase2.request);
  await send(vectors.phase3.request);
  const answers = await Promise.all([send(vectors.phase4.request), send(vectors.phase4.request)]);
  assert.deepEqual(answers.map(statusOf).sort(), [200, 400]);
  assert.equal(stored.length, 1);
});

Deno.test("PairingDesk lets a new phase 1 replace the older one", async () => {
  const { desk, send } = openDesk();
  const older = send(vectors.phase1.request);
  const newer = send(vectors.phase1.request);
  assert.equal(statusOf(await older), 409);
  assert.equal(desk.pending().length, 1);
  desk.submitPin({ pin: vectors.pin });
  assert.equal(statusOf(await newer), 200);
  // A PIN entered for the older one is gone with it.
  const third = send(vectors.phase1.request);
  assert.equal(statusOf(await send(vectors.phase2.request)), 400);
  assert.equal(statusOf(await third), 400);
});

Deno.test("PairingDesk gives up after 5 minutes without PIN and 10 s between later phases", async () => {
  const { desk, clock, events, send } = openDesk();
  const first = send(vectors.phase1.request);
  clock.advance(PIN_WAIT_MS - 1);
  assert.ok(await isHeld(first));
  clock.advance(1);
  assert.equal(statusOf(await first), 408);
  assert.deepEqual(desk.pending(), []);
  const requests = [vectors.phase2.request, vectors.phase3.request, vectors.phase4.request];
  for (let done = 0; done < 3; done++) {
    const held = send(vectors.phase1.request);
    desk.submitPin({ pin: vectors.pin });
    await held;
    for (const request of requests.slice(0, done)) {
      clock.advance(PHASE_WAIT_MS - 1);
      assert.equal(statusOf(await send(request as Record<string, string>)), 200);
    }
    clock.advance(PHASE_WAIT_MS);
    assert.equal(statusOf(await send(requests[done] as Record<string, string>)), 400);
  }
  // Only the one that was shown the host's secret is worth a warning.
  assert.equal(events.filter((event) => event === "pairing.unfinished").length, 1);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("PairingDesk.abandon() frees the held request of that peer alone", async () => {
  const { desk, send } = openDesk();
  const other = { ...ORIGIN, peerIp: "192.0.2.10" };
  const first = send(vectors.phase1.request);
  const second = send(vectors.phase1.request, other);
  desk.abandon(ORIGIN);
  desk.abandon(ORIGIN);
  assert.equal(statusOf(await first), 410);
  assert.ok(await isHeld(second));
  desk.close();
  desk.close();
  assert.equal(statusOf(await second), 503);
});

Deno.test("PairingDesk.submitPin() reaches exactly the handshake that is meant", async () => {
  const { desk, send } = openDesk();
  assert.throws(() => desk.submitPin({ pin: "1234" }), isRefused);
  const other = { ...ORIGIN, peerIp: "192.0.2.10", uniqueId: "other" };
  const first = send(vectors.phase1.request);
  const second = send(vectors.phase1.request, other);
  assert.throws(() => desk.submitPin({ pin: "1234" }), isRefused);
  const fingerprint = vectors.clientCertSha256;
  assert.throws(() => desk.submitPin({ pin: "1234", fingerprint }), isRefused);
  assert.throws(() => desk.submitPin({ pin: "1234", peerIp: "192.0.2.11" }), isRefused);
  assert.throws(
    () => desk.submitPin({ pin: "1234", peerIp: other.peerIp, uniqueId: ORIGIN.uniqueId }),
    isRefused,
  );
  desk.submitPin({
    pin: "1234",
    peerIp: other.peerIp,
    uniqueId: other.uniqueId,
    fingerprint: fingerprint.toUpperCase(),
  });
  assert.equal(statusOf(await second), 200);
  assert.ok(await isHeld(first));
  desk.submitPin({ pin: "1234" });
  assert.equal(statusOf(await first), 200);
  assert.throws(() => desk.submitPin({ pin: "1234" }), isRefused);
});

Deno.test("PairingDesk.submitPin() refuses what is no PIN or no name and leaves the client waiting", async () => {
  const { desk, send } = openDesk();
  const first = send(vectors.phase1.request);
  for (
    const entry of [{ pin: "123" }, { pin: "12345" }, { pin: "12a4" }, { pin: "1234", label: " " }]
  ) {
    assert.throws(
      () => desk.submitPin(entry),
      (error) => error instanceof OperationError && error.code === "invalid",
    );
  }
  assert.ok(await isHeld(first));
  desk.submitPin({ pin: "1234", label: "Living room" });
  assert.equal(statusOf(await first), 200);
});

Deno.test("PairingDesk keeps the name a person typed before the device's own", async () => {
  for (
    const [label, deviceName, expected] of [
      ["Typed", "Phone", "Typed"],
      [undefined, "Phone", "Phone"],
      [undefined, "", undefined],
    ] as const
  ) {
    const { desk, stored, send } = openDesk();
    const origin = { ...ORIGIN, deviceName };
    const first = send(vectors.phase1.request, origin);
    desk.submitPin(label === undefined ? { pin: vectors.pin } : { pin: vectors.pin, label });
    await first;
    for (const request of [vectors.phase2.request, vectors.phase3.request]) {
      await send(request as Record<string, string>, origin);
    }
    await send(vectors.phase4.request, origin);
    assert.equal(stored[0]?.label, expected);
  }
});

Deno.test("PairingDesk calls a pairing that cannot be stored a failure", async () => {
  const { desk, events, send } = openDesk({ isDiskFull: true });
  const first = send(vectors.phase1.request);
  desk.submitPin({ pin: vectors.pin });
  await first;
  await send(vectors.phase2.request);
  await send(vectors.phase3.request);
  assert.equal(statusOf(await send(vectors.phase4.request)), 500);
  assert.ok(events.includes("pairing.unsaved"));
});

Deno.test("PairingDesk holds at most 4 handshakes of an address and 32 in all", async () => {
  const { desk, send } = openDesk();
  const held: Promise<PairAnswer>[] = [];
  for (let address = 0; held.length < HANDSHAKES_MAX; address++) {
    for (let index = 0; index < HANDSHAKES_PER_ADDRESS_MAX; index++) {
      const origin = { ...ORIGIN, peerIp: `192.0.2.${address}`, uniqueId: `${index}` };
      held.push(send(vectors.phase1.request, origin));
    }
    const surplus = { ...ORIGIN, peerIp: `192.0.2.${address}`, uniqueId: "surplus" };
    assert.equal(statusOf(await send(vectors.phase1.request, surplus)), 503);
  }
  assert.equal(desk.pending().length, HANDSHAKES_MAX);
  const stranger = { ...ORIGIN, peerIp: "198.51.100.1" };
  assert.equal(statusOf(await send(vectors.phase1.request, stranger)), 503);
  desk.close();
  assert.ok((await Promise.all(held)).every((answer) => statusOf(answer) === 503));
});

Deno.test("PairingDesk takes a limited number of attempts of an address in a minute", async () => {
  const { clock, desk, send } = openDesk();
  const attempt = async (origin = ORIGIN) => {
    const answer = send(vectors.phase1.request, origin);
    desk.abandon(origin);
    return statusOf(await answer);
  };
  for (let count = 0; count < ATTEMPTS_PER_MINUTE_MAX; count++) assert.equal(await attempt(), 410);
  assert.equal(await attempt(), 429);
  assert.equal(await attempt({ ...ORIGIN, uniqueId: "another" }), 429);
  assert.equal(await attempt({ ...ORIGIN, peerIp: "192.0.2.10" }), 410);
  clock.advance(60_000);
  assert.equal(await attempt(), 410);
});

Deno.test("PairingDesk accepts odd certificates of version 3 and refuses versions TLS cannot prove", async () => {
  const privateKey = createPrivateKey(vectors.clientKeyPem);
  const shapes = [
    { version: 3 as const, serial: Uint8Array.of(0) },
    { version: 3 as const, notBefore: "990101000000Z", notAfter: "000101000000Z" },
    { version: 3 as const, hash: "sha1" as const },
  ];
  for (const shape of shapes) {
    const { desk, stored, send } = openDesk();
    const double = new PairingClientDouble({
      certificatePem: toPem(makeCertificate({ privateKey, ...shape }), "\r\n"),
      keyPem: vectors.clientKeyPem,
      pin: "0420",
    });
    const first = send(double.phase1());
    desk.submitPin({ pin: "0420" });
    const reply2 = elementsOf(
      await send(double.phase2(`${elementsOf(await first)["plaincert"]}`)),
    );
    const reply3 = elementsOf(await send(double.phase3(`${reply2["challengeresponse"]}`)));
    const { parameters, pinWasRight } = double.phase4(`${reply3["pairingsecret"]}`);
    assert.ok(pinWasRight);
    assert.deepEqual(elementsOf(await send(parameters)), { paired: "1" });
    assert.equal(stored.length, 1);
  }
  for (const version of [1, 2] as const) {
    const { desk, send } = openDesk();
    const clientcert = new TextEncoder().encode(toPem(makeCertificate({ version, privateKey })));
    const answer = await send({ ...vectors.phase1.request, clientcert: clientcert.toHex() });
    assert.equal(statusOf(answer), 400);
    assert.deepEqual(desk.pending(), []);
  }
});

Deno.test("PairingDesk bounds the unique id", async () => {
  const { desk, send } = openDesk();
  const longest = { ...ORIGIN, uniqueId: "a".repeat(UNIQUE_ID_CHARACTERS_MAX) };
  const held = send(vectors.phase1.request, longest);
  assert.ok(await isHeld(held));
  const longer = { ...ORIGIN, uniqueId: "a".repeat(UNIQUE_ID_CHARACTERS_MAX + 1) };
  assert.equal(statusOf(await send(vectors.phase1.request, longer)), 400);
  desk.close();
  await held;
});

Deno.test("PairingDesk tells its observer when the list of waiting clients changes", () => {
  const { desk, changes, send } = openDesk();
  void send(vectors.phase1.request);
  assert.equal(changes(), 1);
  desk.submitPin({ pin: vectors.pin });
  assert.equal(changes(), 2);
  desk.close();
  assert.equal(changes(), 3);
});

function isRefused(error: unknown): boolean {
  return error instanceof OperationError && error.code === "refused";
}
