import assert from "node:assert/strict";
import { pipewireSocketPath } from "../../../src/audio/pipewire_socket.ts";
import type { AudioBackend } from "../../../src/audio/ports.ts";
import { chooseAudioBackend } from "../../../src/audio/registry.ts";

function fakeBackend(id: AudioBackend["id"], isAvailable: boolean): AudioBackend {
  return {
    id,
    probe: () => Promise.resolve({ isAvailable, reason: `${id} says ${isAvailable}` }),
    claim: () => Promise.reject(new Error("not asked for")),
    openMicrophone: () => assert.fail("no microphone is opened to choose"),
    recover: () => Promise.resolve([]),
  };
}

Deno.test("chooseAudioBackend() takes PipeWire when it answers, and says why", async () => {
  const synthetic = fakeBackend("synthetic", true);
  const choose = (isAvailable: boolean, isSyntheticWanted: boolean) =>
    chooseAudioBackend(
      { pipewire: fakeBackend("pipewire", isAvailable), synthetic },
      { isSyntheticWanted },
    );
  const found = await choose(true, false);
  assert.equal(found.backend.id, "pipewire");
  assert.equal(found.reason, "pipewire says true");
  const missing = await choose(false, false);
  assert.equal(missing.backend.id, "synthetic");
  assert.equal(missing.reason, "pipewire says false");
  const wanted = await choose(true, true);
  assert.equal(wanted.backend.id, "synthetic");
  assert.equal(wanted.reason, "The synthetic picture comes with its own tone");
});

Deno.test("pipewireSocketPath() follows the variables of PipeWire's own clients", () => {
  const pathFor = (variables: Record<string, string>) =>
    pipewireSocketPath({ get: (name) => variables[name] });
  assert.equal(pathFor({}), undefined);
  assert.equal(pathFor({ XDG_RUNTIME_DIR: "relative" }), undefined);
  assert.equal(pathFor({ XDG_RUNTIME_DIR: "/run/user/7/" }), "/run/user/7/pipewire-0");
  assert.equal(
    pathFor({ XDG_RUNTIME_DIR: "/run/user/7", PIPEWIRE_RUNTIME_DIR: "/run/pipewire" }),
    "/run/pipewire/pipewire-0",
  );
  assert.equal(
    pathFor({ XDG_RUNTIME_DIR: "/run/user/7", PIPEWIRE_REMOTE: "other" }),
    "/run/user/7/other",
  );
  assert.equal(pathFor({ PIPEWIRE_REMOTE: "/tmp/socket" }), "/tmp/socket");
});
