import assert from "node:assert/strict";
import { openSyntheticDisplayBackend } from "../../../src/display/synthetic.ts";
import { OperationError } from "../../../src/lib/errors.ts";
import type { InputEvent, PadEvent } from "../../../src/protocol/input_event.ts";

const MODE = { widthPixels: 2796, heightPixels: 1290, refreshMilliHz: 119_880 };

Deno.test("SyntheticDisplayBackend is always available and has nothing to recover", async () => {
  const backend = openSyntheticDisplayBackend();
  assert.equal(backend.id, "synthetic");
  assert.equal((await backend.probe()).isAvailable, true);
  assert.deepEqual(await backend.recover(), []);
});

Deno.test("SyntheticDisplayBackend.createDisplay() makes exactly the asked mode, each under its own name", async () => {
  const backend = openSyntheticDisplayBackend("text");
  await using first = await backend.createDisplay(MODE);
  await using second = await backend.createDisplay(MODE);
  assert.deepEqual(first.mode, MODE);
  assert.deepEqual(first.videoSource, { kind: "synthetic", ...MODE, content: "text" });
  assert.notEqual(first.name, second.name);
});

Deno.test("SyntheticDisplayBackend.createDisplay() takes modes up to their limits and none beyond", async () => {
  const backend = openSyntheticDisplayBackend();
  const isFailed = (error: unknown) => error instanceof OperationError && error.code === "failed";
  for (
    const [name, min, max] of [
      ["widthPixels", 64, 8192],
      ["heightPixels", 64, 8192],
      ["refreshMilliHz", 1_000, 1_000_000],
    ] as const
  ) {
    for (const value of [min, max]) await backend.createDisplay({ ...MODE, [name]: value });
    for (const value of [min - 1, max + 1, min + 0.5]) {
      await assert.rejects(() => backend.createDisplay({ ...MODE, [name]: value }), isFailed);
    }
  }
});

Deno.test("SyntheticDisplay.openInput() gives a sink that takes and counts every event", async () => {
  const backend = openSyntheticDisplayBackend();
  const display = await backend.createDisplay(MODE);
  const sink = await display.openInput();
  assert.equal(sink.description, "synthetic, 0 events");
  for (const ability of ["pointer", "keyboard", "text", "touch", "pen"] as const) {
    assert.ok(sink.can(ability));
  }
  const event: Exclude<InputEvent, PadEvent> = { kind: "pointer-motion", dx: 1, dy: -1 };
  sink.inject(event);
  sink.inject(event);
  sink.inject({ kind: "text", text: "a" });
  assert.equal(sink.description, "synthetic, 3 events");
  await sink.close();
  await sink.close();
  assert.throws(
    () => sink.inject(event),
    (error) => error instanceof OperationError && error.code === "unavailable",
  );
  await display.close();
  await display.close();
  await assert.rejects(() => display.openInput(), OperationError);
});
