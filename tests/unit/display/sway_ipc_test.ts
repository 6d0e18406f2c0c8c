import assert from "node:assert/strict";
import { SwayIpc, SwayRefusal } from "../../../src/display/sway_ipc.ts";
import { encodeIpcMessage, IPC_GET_OUTPUTS } from "../../../src/display/sway_ipc_codec.ts";
import { FakeClock } from "../../../src/lib/clock.ts";
import { FakeSway } from "./fake_sway.ts";

Deno.test("SwayIpc asks for outputs and version and runs commands", async () => {
  await using sway = new FakeSway();
  const clock = new FakeClock();
  const ipc = new SwayIpc(sway.socketPath, clock);
  assert.deepEqual((await ipc.outputs()).map(({ name }) => name), ["HEADLESS-1"]);
  assert.equal((await ipc.version()).minor, 9);
  await ipc.command("create_output");
  assert.deepEqual(sway.commands, ["create_output"]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("SwayIpc.command() passes on Sway's own words when it refuses", async () => {
  await using sway = new FakeSway();
  const ipc = new SwayIpc(sway.socketPath, new FakeClock());
  await assert.rejects(ipc.command("dance"), (error: unknown) => {
    assert.ok(error instanceof SwayRefusal);
    assert.equal(error.words, "Unknown command");
    assert.equal(error.message, 'Cannot run "dance" in Sway: Unknown command');
    return true;
  });
});

Deno.test("SwayIpc names the socket nobody listens at", async () => {
  const ipc = new SwayIpc("/nonexistent/sway.sock", new FakeClock());
  await assert.rejects(ipc.version(), {
    name: "OperationError",
    code: "missing-compositor",
    message: "Cannot reach Sway: nobody listens at /nonexistent/sway.sock",
  });
});

Deno.test("SwayIpc gives up on a Sway that does not answer", async () => {
  await using sway = new FakeSway({ isSilent: true });
  const clock = new FakeClock();
  const asked = new SwayIpc(sway.socketPath, clock).version();
  const refused = assert.rejects(asked, { name: "OperationError", code: "unavailable" });
  while (clock.pendingTimers === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  clock.advance(1500);
  await refused;
});

Deno.test("SwayIpc refuses answers that are cut short, of another type, or no IPC", async () => {
  const whole = encodeIpcMessage(IPC_GET_OUTPUTS, "[]");
  const answers = [
    whole.subarray(0, 5),
    whole.subarray(0, 15),
    encodeIpcMessage(0, "[]"),
    whole.slice(),
  ];
  answers[3]?.set([0], 0);
  for (const rawAnswer of answers) {
    await using sway = new FakeSway({ rawAnswer });
    await assert.rejects(new SwayIpc(sway.socketPath, new FakeClock()).outputs(), {
      name: "OperationError",
      code: "unavailable",
    });
  }
});
