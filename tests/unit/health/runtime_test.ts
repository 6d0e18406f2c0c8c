import assert from "node:assert/strict";
import { SHIM_NAMES } from "../../../ffi/library.ts";
import {
  quicCheck,
  quicFinding,
  runtimeFinding,
  shimFinding,
  SHIMS,
} from "../../../src/health/runtime.ts";
import { NativeError, OperationError } from "../../../src/lib/errors.ts";

Deno.test("runtimeFinding() faults an old runtime where GameStream is served, and warns elsewhere", () => {
  for (
    const [version, isGamestreamOn, state] of [
      ["2.9.6", true, "ok"],
      ["2.8.3", true, "fault"],
      ["2.7.14", false, "warning"],
    ] as const
  ) {
    const finding = runtimeFinding({ version, isGamestreamOn });
    assert.equal(finding.state, state);
    assert.ok(finding.summary.startsWith(`Deno ${version}`));
    assert.equal(finding.remedy, state === "ok" ? undefined : "deno upgrade");
  }
});

Deno.test("SHIMS holds every shim once, but QUIC's, which quicCheck() is about", () => {
  const names: string[] = SHIM_NAMES.filter((name: string) => name !== "quic");
  assert.deepEqual(SHIMS.map(({ name }) => name).sort(), names.sort());
});

Deno.test("shimFinding() tells the ABI of a shim that opens, and why one does not", () => {
  const shim = { abi: 3, gives: "sends packets" };
  assert.deepEqual(shimFinding({ ...shim, error: undefined }), {
    state: "ok",
    summary: "ABI 3, sends packets",
  });
  const missing = new OperationError("missing-library", "Cannot open it", { remedy: "Build it" });
  assert.deepEqual(shimFinding({ ...shim, error: missing }), {
    state: "fault",
    summary: "Cannot open it",
    remedy: "Build it",
  });
  const other = new NativeError("wire", 2, "Its ABI is 2");
  assert.deepEqual(shimFinding({ ...shim, error: other }), {
    state: "fault",
    summary: "Its ABI is 2",
    remedy: "deno task native",
  });
});

Deno.test("quicFinding() tells which adapter runs and whether clients can pair", async () => {
  const facts = {
    adapter: "quinn",
    asksForClientCertificate: true,
    reason: "It is built",
  } as const;
  assert.deepEqual(await quicCheck(facts).find(), {
    state: "ok",
    summary: 'QUIC by the adapter "quinn", clients can pair: It is built',
  });
  const table = [
    [{ ...facts, adapter: "deno", asksForClientCertificate: false }, "warning", /none can pair/],
    [{ ...facts, adapter: undefined }, "fault", /^No QUIC stack.*: It is built$/],
    [undefined, "skipped", /not built in/],
  ] as const;
  for (const [given, state, summary] of table) {
    const finding = quicFinding(given);
    assert.equal(finding.state, state);
    assert.match(finding.summary, summary);
    assert.equal(finding.remedy !== undefined, state !== "skipped");
  }
});
