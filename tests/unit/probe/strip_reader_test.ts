import assert from "node:assert/strict";
import { readStripsOf } from "../../../src/probe/strip_reader.ts";
import { UnitFile } from "../../../src/probe/unit_file.ts";

Deno.test("UnitFile keeps units one after another and when they came", async () => {
  const path = await Deno.makeTempFile({ prefix: "pf-probe-" });
  try {
    const units = new UnitFile(path);
    units.write(Uint8Array.of(1, 2), 10);
    units.write(Uint8Array.of(3), 20);
    units.close();
    units.close();
    units.write(Uint8Array.of(4), 30);
    assert.deepEqual(await Deno.readFile(path), Uint8Array.of(1, 2, 3));
    assert.deepEqual([units.count, units.receivedAtUs], [2, [10, 20]]);
    assert.throws(() => new UnitFile("/nonexistent/x"), { code: "storage" });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readStripsOf() fails for what ffmpeg cannot decode, and for codecs it has no name for", async () => {
  const path = await Deno.makeTempFile({ prefix: "pf-probe-" });
  try {
    await Deno.writeFile(path, new Uint8Array(1_000));
    const file = { path, count: 1, receivedAtUs: [0] };
    const size = { width: 64, height: 64 };
    await assert.rejects(readStripsOf(file, { codec: "h264", ...size }), { code: "failed" });
    await assert.rejects(readStripsOf(file, { codec: "pyrowave", ...size }), {
      code: "unavailable",
    });
  } finally {
    await Deno.remove(path);
  }
});
