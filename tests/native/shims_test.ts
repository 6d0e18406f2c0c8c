/**
 * Builds each shim's C test with AddressSanitizer and UndefinedBehaviorSanitizer and runs it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { buildShims } from "../../scripts/native.ts";
import { SHIMS } from "../../scripts/shims.ts";

const ROOT = new URL("../../", import.meta.url);

for (const { name } of SHIMS) {
  Deno.test(`native/${name}/${name}_test.c passes under sanitizers`, async () => {
    await buildShims([name], { isSanitized: true });
    const output = await new Deno.Command(new URL(`dist/native-test/${name}_test`, ROOT), {
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(output.stdout) + decoder.decode(output.stderr);
    assert.equal(output.code, 0, text);
    assert.match(text, /^[1-9]\d* passed, 0 failed$/m);
  });
}
