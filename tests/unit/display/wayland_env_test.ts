import assert from "node:assert/strict";
import { findSway } from "../../../src/display/wayland_env.ts";
import { FakeSway } from "./fake_sway.ts";

const UID = Deno.uid() ?? 0;

function environmentOf(variables: Record<string, string>) {
  return { get: (name: string) => variables[name] };
}

/** A runtime directory with a Sway, whose process number is 1, and Wayland sockets of these names. */
function openRuntime(...waylandNames: readonly string[]) {
  const sway = new FakeSway();
  const listeners = waylandNames.map((name) =>
    Deno.listen({ transport: "unix", path: `${sway.directory}/${name}` })
  );
  return {
    sway,
    directory: sway.directory,
    async [Symbol.asyncDispose]() {
      for (const listener of listeners) listener.close();
      await sway[Symbol.asyncDispose]();
    },
  };
}

Deno.test("findSway() takes the sockets that the environment names", async () => {
  await using runtime = openRuntime("wayland-1", "wayland-2");
  const { directory } = runtime;
  const sockets = { sway: runtime.sway.socketPath, wayland: `${directory}/wayland-2` };
  for (const WAYLAND_DISPLAY of ["wayland-2", sockets.wayland]) {
    const environment = environmentOf({
      XDG_RUNTIME_DIR: directory,
      WAYLAND_DISPLAY,
      SWAYSOCK: sockets.sway,
    });
    assert.deepEqual(await findSway(environment, { uid: UID }), { sockets });
  }
});

Deno.test("findSway() searches the runtime directory when the environment is bare or out of date", async () => {
  await using runtime = openRuntime("wayland-1");
  const { directory } = runtime;
  const sockets = { sway: runtime.sway.socketPath, wayland: `${directory}/wayland-1` };
  const stale = { SWAYSOCK: `${directory}/sway-ipc.0.77.sock`, WAYLAND_DISPLAY: "wayland-9" };
  for (const variables of [{}, stale]) {
    const environment = environmentOf({ XDG_RUNTIME_DIR: directory, ...variables });
    assert.deepEqual(await findSway(environment, { uid: UID }), { sockets });
  }
});

Deno.test("findSway() pairs a Sway with the Wayland socket that its process listens on", async () => {
  await using runtime = openRuntime("wayland-1", "wayland-2");
  const { directory } = runtime;
  const procDirectory = `${directory}/proc`;
  await Deno.mkdir(`${procDirectory}/1/fd`, { recursive: true });
  await Deno.mkdir(`${procDirectory}/net`);
  await Deno.symlink("socket:[4711]", `${procDirectory}/1/fd/5`);
  await Deno.symlink("/dev/null", `${procDirectory}/1/fd/6`);
  await Deno.writeTextFile(
    `${procDirectory}/net/unix`,
    [
      "Num       RefCount Protocol Flags    Type St Inode Path",
      `0000: 00000002 00000000 00010000 0001 01 4710 ${directory}/wayland-1`,
      `0000: 00000002 00000000 00010000 0001 01 4711 ${directory}/wayland-2`,
      "",
    ].join("\n"),
  );
  const environment = environmentOf({ XDG_RUNTIME_DIR: directory });
  assert.deepEqual(await findSway(environment, { uid: UID, procDirectory }), {
    sockets: { sway: runtime.sway.socketPath, wayland: `${directory}/wayland-2` },
  });
  // Where the kernel does not tell, no guess is made between two.
  assert.ok("reason" in await findSway(environment, { uid: UID, procDirectory: "/nonexistent" }));
});

Deno.test("findSway() trusts no sockets in a directory of another user", async () => {
  await using runtime = openRuntime("wayland-1");
  const environment = environmentOf({ XDG_RUNTIME_DIR: runtime.directory });
  assert.deepEqual(await findSway(environment, { uid: UID + 1 }), {
    reason: `${runtime.directory} is no runtime directory of this user`,
  });
});

Deno.test("findSway() says in one sentence that there is no Sway", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const environment = environmentOf({ XDG_RUNTIME_DIR: directory });
    assert.deepEqual(await findSway(environment, { uid: UID }), {
      reason: `No Sway runs in ${directory}`,
    });
    const named = environmentOf({ XDG_RUNTIME_DIR: directory, SWAYSOCK: "/gone.sock" });
    assert.deepEqual(await findSway(named, { uid: UID }), {
      reason: `No Sway listens at /gone.sock or runs in ${directory}`,
    });
  } finally {
    await Deno.remove(directory);
  }
});
