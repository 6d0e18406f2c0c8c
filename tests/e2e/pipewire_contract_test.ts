import assert from "node:assert/strict";
import { openPipewireAudioSource } from "../../src/media/sources/pipewire.ts";
import { testAudioSource } from "../unit/media/contract_audio_source.ts";
import { PipewireLab } from "./pipewire_lab.ts";

let lab: PipewireLab | undefined;

Deno.test.beforeAll(async () => {
  lab = await PipewireLab.start();
});

Deno.test.afterAll(async () => {
  await lab?.close();
});

for (const channels of [2, 8] as const) {
  testAudioSource({
    name: `openPipewireAudioSource() with ${channels} channels`,
    channels,
    open() {
      assert.ok(lab !== undefined);
      const { socketPath } = lab;
      return Promise.resolve(
        openPipewireAudioSource({ kind: "pipewire", channels, socketPath, sinkName: "speakers" }),
      );
    },
  });
}
