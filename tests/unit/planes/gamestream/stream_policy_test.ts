import assert from "node:assert/strict";
import {
  ENCRYPTION_SUPPORTED,
  encryptionDemanded,
  encryptionRequested,
} from "../../../../src/planes/gamestream/stream_policy.ts";

Deno.test("encryptionDemanded() leaves the choice to local clients and demands everything of others", () => {
  assert.equal(encryptionDemanded("192.168.1.20"), 0);
  assert.equal(encryptionDemanded("8.8.8.8"), ENCRYPTION_SUPPORTED);
});

Deno.test("encryptionRequested() asks local clients for control alone", () => {
  assert.equal(encryptionRequested("192.168.1.20"), 1);
  assert.equal(encryptionRequested("8.8.8.8"), 7);
});
