import assert from "node:assert/strict";
import { FakeClock } from "../../../src/lib/clock.ts";
import { OperationError, type OperationErrorCode } from "../../../src/lib/errors.ts";
import { closeError, closeWord } from "../../../src/probe/close.ts";
import { dial, type DialOptions } from "../../../src/probe/dial.ts";
import type { QuicClose, QuicConnectOptions, QuicConnector } from "../../../src/quic/ports.ts";
import { connectFakes } from "../../support/fake_quic.ts";

const HOST = { address: "127.0.0.1", port: 9777 };

/** Fails `failures` times with `code`, each after `durationMs`, then connects. */
class FakeConnector implements QuicConnector {
  readonly adapter = "quinn";
  readonly calls: QuicConnectOptions[] = [];
  readonly fakes = connectFakes();
  readonly #clock: FakeClock;
  readonly #plan: { failures: number; code: OperationErrorCode; durationMs: number };

  constructor(
    clock: FakeClock,
    plan: { failures: number; code: OperationErrorCode; durationMs: number },
  ) {
    this.#clock = clock;
    this.#plan = plan;
  }

  connect(options: QuicConnectOptions) {
    this.calls.push(options);
    if (this.calls.length > this.#plan.failures) return Promise.resolve(this.fakes.client);
    this.#clock.advance(Math.min(options.timeoutMs, this.#plan.durationMs));
    return Promise.reject(new OperationError(this.#plan.code, "no"));
  }

  close() {
    return Promise.resolve();
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

function optionsFor(
  clock: FakeClock,
  connector: QuicConnector,
  changes: Partial<DialOptions> = {},
): DialOptions {
  const fingerprint = new Uint8Array(32).fill(7);
  return { connector, clock, identity: undefined, fingerprint, budgetMs: 10_000, ...changes };
}

Deno.test("dial() tries again while the host is silent, 3 s at a time within its budget", async () => {
  const clock = new FakeClock();
  const silent = { failures: 99, code: "unreachable", durationMs: 3_000 } as const;
  const connector = new FakeConnector(clock, silent);
  await assert.rejects(dial(HOST, optionsFor(clock, connector)), { code: "unreachable" });
  assert.deepEqual(connector.calls.map(({ timeoutMs }) => timeoutMs), [3000, 3000, 3000, 1000]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("dial() asks for whole milliseconds", async () => {
  const clock = new FakeClock(1_000_000.5);
  const connector = new FakeConnector(clock, { failures: 0, code: "failed", durationMs: 0 });
  await dial(HOST, optionsFor(clock, connector, { budgetMs: 999.3 }));
  assert.equal(connector.calls[0]?.timeoutMs, 1000);
});

Deno.test("dial() waits between attempts that fail at once", async () => {
  const clock = new FakeClock();
  const connector = new FakeConnector(clock, { failures: 1, code: "unreachable", durationMs: 0 });
  const dialing = dial(HOST, optionsFor(clock, connector));
  while (clock.pendingTimers === 0) await Promise.resolve();
  assert.equal(connector.calls.length, 1);
  clock.advance(500);
  const { hostFingerprint } = await dialing;
  assert.equal(connector.calls.length, 2);
  // The fake shows no certificate: the pinned one stands for it.
  assert.deepEqual(hostFingerprint, new Uint8Array(32).fill(7));
});

Deno.test("dial() ends at the first refusal, and where it cannot tell who the host is", async () => {
  const clock = new FakeClock();
  for (const code of ["refused", "certificate-mismatch", "unavailable"] as const) {
    const connector = new FakeConnector(clock, { failures: 9, code, durationMs: 0 });
    await assert.rejects(dial(HOST, optionsFor(clock, connector)), { code });
    assert.equal(connector.calls.length, 1);
  }
  const connector = new FakeConnector(clock, { failures: 0, code: "failed", durationMs: 0 });
  const unpinned = optionsFor(clock, connector, { fingerprint: undefined });
  await assert.rejects(dial(HOST, unpinned), { code: "failed" });
  assert.equal((await connector.fakes.host.closed).code, 0);
});

Deno.test("closeWord() and closeError() name every way a connection ends", () => {
  const close = (changes: Partial<QuicClose>): QuicClose => ({
    kind: "application",
    isByPeer: true,
    code: 0,
    reason: "secret",
    ...changes,
  });
  const table: [QuicClose, string, string, RegExp][] = [
    [close({ code: 0x64 }), "denied", "refused", /^Cannot pair: somebody at the host denied it$/],
    [close({ code: 0x1234 }), "code-0x1234", "refused", /: the connection broke$/],
    [close({ kind: "idle" }), "idle", "unreachable", /: the host fell silent$/],
    [close({ kind: "transport" }), "transport", "refused", /: the connection broke$/],
  ];
  for (const [end, word, code, text] of table) {
    assert.equal(closeWord(end), word);
    const error = closeError(end, "pair");
    assert.equal(error.code, code);
    assert.match(error.message, text);
  }
  assert.equal(closeError(close({ code: 0x62 }), "pair").remedy, "Wait two seconds");
});
