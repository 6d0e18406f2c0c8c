import assert from "node:assert/strict";
import {
  AccessWatch,
  GUEST_LINGER_MS,
  type SessionAccess,
  type WatchedSession,
} from "../../../src/trust/access_watch.ts";
import { type ClientsLab, device, makeClients, PHONE, TABLET } from "./native_fixture.ts";

interface WatchLab extends AsyncDisposable {
  readonly lab: ClientsLab;
  readonly watch: AccessWatch;
  readonly faults: unknown[];
}

async function makeWatch(): Promise<WatchLab> {
  const lab = await makeClients();
  const faults: unknown[] = [];
  const watch = new AccessWatch({
    clients: lab.clients,
    clock: lab.clock,
    onFault: (error) => faults.push(error),
  });
  return {
    lab,
    watch,
    faults,
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      assert.equal(lab.clock.pendingTimers, 0);
      await lab[Symbol.asyncDispose]();
    },
  };
}

/** Keeps what it is told, "grants/seconds" or "end". */
class Session implements WatchedSession {
  readonly told: string[] = [];
  onAccess({ grants, secondsLeft }: SessionAccess): void {
    this.told.push(`${grants}/${secondsLeft ?? "-"}`);
  }
  onEnd(): void {
    this.told.push("end");
  }
}

Deno.test("AccessWatch warns five minutes and one minute before access ends, then ends the session", async () => {
  await using parts = await makeWatch();
  const { lab, watch } = parts;
  await lab.clients.pair(device(PHONE), { grants: 1, lifetimeS: 1000 });
  const session = new Session();
  const watching = watch.begin(PHONE, session);
  assert.deepEqual(watching?.access, { grants: 1, secondsLeft: 1000 });
  lab.clock.advance(699_000);
  assert.deepEqual(session.told, []);
  lab.clock.advance(1000);
  assert.deepEqual(session.told, ["1/300"]);
  lab.clock.advance(239_000);
  assert.deepEqual(session.told, ["1/300"]);
  lab.clock.advance(1000);
  assert.deepEqual(session.told, ["1/300", "1/60"]);
  lab.clock.advance(59_000);
  assert.deepEqual(session.told, ["1/300", "1/60"]);
  lab.clock.advance(1000);
  assert.deepEqual(session.told, ["1/300", "1/60", "end"]);
  assert.equal(watch.begin(PHONE, session), undefined);
  watching?.[Symbol.dispose]();
});

Deno.test("AccessWatch gives no warning that the session's beginning has told", async () => {
  await using parts = await makeWatch();
  await parts.lab.clients.pair(device(PHONE), { lifetimeS: 300 });
  const session = new Session();
  parts.watch.begin(PHONE, session);
  parts.lab.clock.advance(239_000);
  assert.deepEqual(session.told, []);
  parts.lab.clock.advance(1000);
  assert.deepEqual(session.told, ["255/60"]);
});

Deno.test("AccessWatch tells every session of a device of an edit, and no other", async () => {
  await using parts = await makeWatch();
  const { lab, watch } = parts;
  await lab.clients.pair(device(PHONE), {});
  await lab.clients.pair(device(TABLET), {});
  const sessions = [new Session(), new Session(), new Session()];
  const [first, second, other] = sessions;
  assert.ok(first !== undefined && second !== undefined && other !== undefined);
  const watching = watch.begin(PHONE, first);
  watch.begin(PHONE, second);
  watch.begin(TABLET, other);
  await lab.clients.change(PHONE, { grants: 0 });
  assert.deepEqual(sessions.map(({ told }) => told), [["0/-"], ["0/-"], []]);
  watching?.[Symbol.dispose]();
  watching?.[Symbol.dispose]();
  await lab.clients.change(PHONE, { expiresUnix: lab.clock.wallMs() / 1000 + 200 });
  assert.deepEqual(sessions.map(({ told }) => told), [["0/-"], ["0/-", "0/200"], []]);
  await lab.clients.change(PHONE, { expiresUnix: null });
  lab.clock.advance(1_000_000);
  assert.deepEqual(second.told, ["0/-", "0/200", "0/-"]);
});

Deno.test("AccessWatch warns anew when access was made longer", async () => {
  await using parts = await makeWatch();
  const { lab, watch } = parts;
  await lab.clients.pair(device(PHONE), { lifetimeS: 400 });
  const session = new Session();
  watch.begin(PHONE, session);
  lab.clock.advance(100_000);
  await lab.clients.change(PHONE, { expiresUnix: lab.clock.wallMs() / 1000 + 400 });
  lab.clock.advance(100_000);
  assert.deepEqual(session.told, ["255/300", "255/400", "255/300"]);
});

Deno.test("AccessWatch ends sessions whose device is unpaired, or edited to have no time left", async () => {
  await using parts = await makeWatch();
  const { lab, watch } = parts;
  await lab.clients.pair(device(PHONE), { lifetimeS: 600 });
  await lab.clients.pair(device(TABLET), {});
  const [phone, tablet] = [new Session(), new Session()];
  watch.begin(PHONE, phone);
  watch.begin(TABLET, tablet);
  await lab.clients.change(TABLET, { expiresUnix: lab.clock.wallMs() / 1000 });
  assert.deepEqual(tablet.told, ["end"]);
  await lab.clients.remove(PHONE);
  assert.deepEqual(phone.told, ["end"]);
  assert.equal(lab.clock.pendingTimers, 0);
});

Deno.test("AccessWatch.begin() watches for no device without access", async () => {
  await using parts = await makeWatch();
  assert.equal(parts.watch.begin(PHONE, new Session()), undefined);
});

Deno.test("AccessWatch notices within a minute that the machine's clock was set", async () => {
  await using parts = await makeWatch();
  const { lab } = parts;
  await lab.clients.pair(device(PHONE), { lifetimeS: 3600 });
  let aheadMs = 0;
  using watch = new AccessWatch({
    clients: lab.clients,
    clock: {
      monotonicUs: () => lab.clock.monotonicUs(),
      wallMs: () => lab.clock.wallMs() + aheadMs,
      after: (delayMs, callback) => lab.clock.after(delayMs, callback),
    },
  });
  const session = new Session();
  watch.begin(PHONE, session);
  aheadMs = 3_600_000;
  lab.clock.advance(59_999);
  assert.deepEqual(session.told, []);
  lab.clock.advance(1);
  assert.deepEqual(session.told, ["end"]);
});

Deno.test("AccessWatch forgets a guest a minute after its last session", async () => {
  await using parts = await makeWatch();
  const { lab, watch } = parts;
  await lab.clients.pair(device(PHONE), { grants: 0, isUntilDisconnect: true });
  const begin = () => watch.begin(PHONE, new Session());
  const [first, second] = [begin(), begin()];
  first?.[Symbol.dispose]();
  lab.clock.advance(GUEST_LINGER_MS);
  second?.[Symbol.dispose]();
  lab.clock.advance(GUEST_LINGER_MS - 1);
  const third = begin();
  lab.clock.advance(GUEST_LINGER_MS);
  assert.equal(lab.clients.size, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  using _observing = lab.clients.observe(() => resolve());
  third?.[Symbol.dispose]();
  lab.clock.advance(GUEST_LINGER_MS);
  await promise;
  assert.equal(lab.clients.size, 0);
});

Deno.test("AccessWatch forgets a guest whose time ended, and keeps one who was given lasting access", async () => {
  await using parts = await makeWatch();
  const { lab, watch } = parts;
  const guest = { grants: 0, lifetimeS: 10, isUntilDisconnect: true };
  await lab.clients.pair(device(PHONE), guest);
  await lab.clients.pair(device(TABLET), guest);
  const session = new Session();
  watch.begin(PHONE, session);
  watch.begin(TABLET, new Session())?.[Symbol.dispose]();
  await lab.clients.change(TABLET, { isUntilDisconnect: false });
  lab.clock.advance(10_000);
  assert.deepEqual(session.told, ["end"]);
  const { promise, resolve } = Promise.withResolvers<void>();
  using _observing = lab.clients.observe(() => resolve());
  lab.clock.advance(GUEST_LINGER_MS);
  await promise;
  assert.deepEqual(lab.clients.list().map(({ fingerprint }) => fingerprint), [TABLET]);
});

Deno.test("AccessWatch reports a guest that cannot be forgotten", async () => {
  await using parts = await makeWatch();
  const { lab, watch, faults } = parts;
  await lab.clients.pair(device(PHONE), { grants: 0, isUntilDisconnect: true });
  watch.begin(PHONE, new Session())?.[Symbol.dispose]();
  lab.isDiskFull = true;
  lab.clock.advance(GUEST_LINGER_MS);
  await lab.clients.markSeen(PHONE).catch(() => {});
  assert.equal(faults.length, 1);
});
