import assert from "node:assert/strict";
import { openSyntheticAudioBackend } from "../../../src/audio/synthetic.ts";

Deno.test("the synthetic AudioBackend claims test tones of the asked channels and leaves nothing behind", async () => {
  const backend = openSyntheticAudioBackend();
  assert.equal(backend.id, "synthetic");
  assert.equal((await backend.probe()).isAvailable, true);
  for (const channels of [2, 6, 8] as const) {
    const claim = await backend.claim({ channels, isHeardOnHost: false });
    assert.deepEqual(claim.source, { kind: "synthetic", channels });
    await claim.close();
    await claim.close();
  }
  assert.deepEqual(await backend.recover(), []);
});
