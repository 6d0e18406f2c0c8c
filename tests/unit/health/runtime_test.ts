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
    const finding = runtimeFinding({ version, isCompiled: false, isGamestreamOn });
    assert.equal(finding.state, state);
    assert.ok(finding.summary.startsWith(`Deno ${version}`));
    assert.equal(finding.remedy, state === "ok" ? undefined : "deno upgrade");
  }
});

Deno.test("runtimeFinding() asks for another executable where the runtime is inside of it", () => {
  const old = { version: "2.7.14", isGamestreamOn: true };
  const { remedy } = runtimeFinding({ ...old, isCompiled: true });
  assert.equal(remedy, "Use a punktfunk-host that was compiled with Deno 2.9");
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

Deno.test("quicFinding() tells which stack runs and whether clients can pair", () => {
  const native = { adapter: "quinn", asksForClientCertificate: true, reason: "It opens" } as const;
  const runtime = { adapter: "deno", asksForClientCertificate: false, reason: "None" } as const;
  const none = { ...runtime, adapter: undefined };
  const isRuntimeWanted = false;
  assert.deepEqual(quicFinding(native, { isRuntimeWanted }), {
    state: "ok",
    summary: "It opens",
  });
  assert.deepEqual(quicFinding(runtime, { isRuntimeWanted }), {
    state: "warning",
    summary: "None",
    remedy: "deno task native",
  });
  assert.equal(quicFinding(runtime, { isRuntimeWanted: true }).remedy, "unset PUNKTFUNK_QUIC");
  assert.deepEqual(quicFinding(none, { isRuntimeWanted }), {
    state: "fault",
    summary: "No QUIC, the native plane cannot run: None",
    remedy: "deno task native",
  });
});

Deno.test("quicCheck() sees what the variable asks for, and refuses what is no stack", async () => {
  const finding = await quicCheck(new Map([["PUNKTFUNK_QUIC", " deno "]])).find();
  assert.equal(finding.state, "warning");
  assert.equal(finding.remedy, "unset PUNKTFUNK_QUIC");
  assert.throws(() => quicCheck(new Map([["PUNKTFUNK_QUIC", "msquic"]])).find(), {
    code: "invalid",
  });
});
