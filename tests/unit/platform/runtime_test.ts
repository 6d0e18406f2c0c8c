import assert from "node:assert/strict";
import {
  hasClientCertificates,
  RUNTIME_WITH_CLIENT_CERTIFICATES,
} from "../../../src/platform/runtime.ts";

Deno.test("hasClientCertificates() begins with the release it names", () => {
  for (const version of [RUNTIME_WITH_CLIENT_CERTIFICATES, "2.9.0", "2.9.6", "2.10.0", "3.0.0"]) {
    assert.equal(hasClientCertificates(version), true, version);
  }
  for (const version of ["2.8.3", "2.7.14", "1.46.0", ""]) {
    assert.equal(hasClientCertificates(version), false, version);
  }
});
