import assert from "node:assert/strict";
import { equalBytes } from "../../src/lib/bytes.ts";
import { MoonlightClient } from "../client/moonlight_client.ts";
import type { MoonlightStream } from "../client/moonlight_stream.ts";
import { NvHttpError } from "../client/nvhttp_client.ts";
import { type HostLab, openHostLab } from "./host_lab.ts";

const TERMINATION_GRACEFUL = 0x8003_0023;
const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Descriptors of this process: sockets, shims, Workers. */
function countDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

function assertCleanVideo(stream: MoonlightStream): void {
  assert.equal(stream.video.stats.lostFrames, 0);
  assert.deepEqual(stream.video.violations, []);
}

async function statusOf(
  lab: HostLab,
): Promise<{ active_sessions: number; paired_clients: number }> {
  return await (await lab.api("/status")).json();
}

Deno.test("The host pairs, lists, launches and streams picture and sound to a client", async () => {
  await using lab = await openHostLab();
  await using client = await lab.pairedClient();
  const info = await client.pairedServerInfo();
  assert.equal(info.isPaired, true);
  assert.equal(info.currentGame, 0);
  assert.equal(info.codecModeSupport, 1);
  const apps = await client.apps();
  assert.deepEqual(apps.map((app) => app.title), ["Desktop"]);
  const art = await client.appAsset(apps[0]?.id ?? 0);
  assert.ok(equalBytes(art.body.subarray(0, 8), PNG_SIGNATURE));

  const stream = await client.launch();
  const first = await stream.waitForFrame(() => true);
  assert.equal(first.isKey, true);
  assert.equal(first.frameIndex, 1);
  await stream.waitForFrames(60);
  await stream.waitForAudio(100);
  assertCleanVideo(stream);
  assert.equal((await statusOf(lab)).active_sessions, 1);
  assert.equal((await client.pairedServerInfo()).isBusy, true);
  await client.cancel();
  const end = await stream.waitForEnd();
  assert.deepEqual(end, { kind: "terminated", reason: TERMINATION_GRACEFUL });
  await stream.close();
  assert.equal((await statusOf(lab)).active_sessions, 0);
});

Deno.test("The host streams plain and sealed, over plain and encrypted RTSP, in every layout of sound", async () => {
  await using lab = await openHostLab();
  await using client = await lab.pairedClient();
  const variants = [
    {
      corever: 0,
      isVideoEncryptionWanted: false,
      isAudioEncryptionWanted: false,
      audioChannels: 2,
    },
    { corever: 1, isVideoEncryptionWanted: true, isAudioEncryptionWanted: true, audioChannels: 6 },
    { corever: 1, isVideoEncryptionWanted: false, isAudioEncryptionWanted: true, audioChannels: 8 },
    { corever: 1, isVideoEncryptionWanted: true, isAudioEncryptionWanted: false, audioChannels: 2 },
  ] as const;
  for (const variant of variants) {
    const stream = await client.launch({ ...variant, rtspSegmentSizeBytes: 7 });
    assert.equal(stream.encryption.isVideoEncrypted, variant.isVideoEncryptionWanted);
    assert.equal(stream.encryption.isAudioEncrypted, variant.isAudioEncryptionWanted);
    await stream.waitForIdr();
    await stream.waitForFrames(10);
    await stream.waitForAudio(12);
    assertCleanVideo(stream);
    await stream.close();
    await client.cancel();
  }
});

Deno.test("A client that vanished comes back five times, and nothing is left of the streams before", async () => {
  await using lab = await openHostLab();
  await using client = await lab.pairedClient();
  await (await client.launch()).waitForIdr();
  const descriptors: number[] = [];
  for (let round = 0; round < 5; round++) {
    const stream = await client.resume();
    await stream.waitForIdr({ timeoutMs: 5000 });
    await stream.waitForFrames(5);
    assertCleanVideo(stream);
    await stream.kill();
    assert.equal((await statusOf(lab)).active_sessions, 1);
    descriptors.push(countDescriptors());
  }
  assert.equal(new Set(descriptors.slice(1)).size, 1, descriptors.join(" "));
  await client.cancel();
  assert.equal((await statusOf(lab)).active_sessions, 0);
});

Deno.test("Test loss costs packets that parity gives back", async () => {
  await using lab = await openHostLab({ videoDropPercent: 5, fecPercent: 90 });
  await using client = await lab.pairedClient();
  const stream = await client.launch();
  await stream.waitForFrames(60);
  const { lostDatagrams, recoveredPackets } = stream.video.stats;
  assert.ok(lostDatagrams > 0 && recoveredPackets > 0, `${lostDatagrams}, ${recoveredPackets}`);
  assert.deepEqual(stream.video.violations, []);
});

Deno.test("An IDR request is answered with an IDR, and so is a lost reference", async () => {
  await using lab = await openHostLab();
  await using client = await lab.pairedClient();
  const stream = await client.launch();
  const first = await stream.waitForIdr();
  await stream.waitForFrames(10);
  stream.requestIdr();
  const second = await stream.waitForIdr({ afterFrameIndex: first.frameIndex });
  await stream.waitForFrames(10);
  stream.invalidateReferences(second.frameIndex, second.frameIndex + 1);
  await stream.waitForIdr({ afterFrameIndex: second.frameIndex });
});

Deno.test("The host refuses strangers, a second launch and a resume of nothing", async () => {
  await using lab = await openHostLab();
  await using stranger = await MoonlightClient.create({ httpPort: lab.portBase });
  const statusCode = (code: number) => (error: unknown) =>
    error instanceof NvHttpError && error.statusCode === code;
  assert.equal((await stranger.serverInfo()).isPaired, false);
  await assert.rejects(stranger.pairedServerInfo(), statusCode(401));
  await assert.rejects(stranger.launch({ appId: 1 }), statusCode(401));
  await using client = await lab.pairedClient();
  await assert.rejects(client.resume(), statusCode(503));
  await client.launch();
  await assert.rejects(client.launch(), statusCode(400));
});

Deno.test("A second device takes the stream over, and the first is told", async () => {
  await using lab = await openHostLab();
  await using first = await lab.pairedClient();
  await using second = await lab.pairedClient();
  const lost = await first.launch();
  await lost.waitForIdr();
  const taken = await second.resume();
  await taken.waitForIdr();
  assert.deepEqual(await lost.waitForEnd(), { kind: "terminated", reason: TERMINATION_GRACEFUL });
  assertCleanVideo(taken);
});

Deno.test("Unpairing a client ends what it streams", async () => {
  await using lab = await openHostLab();
  await using client = await lab.pairedClient();
  const stream = await client.launch();
  await stream.waitForIdr();
  const answer = await lab.api("/clients", { method: "DELETE" });
  assert.deepEqual(await answer.json(), { unpaired: 1 });
  await stream.waitForEnd();
  assert.equal((await statusOf(lab)).paired_clients, 0);
  await assert.rejects(client.pairedServerInfo());
});

Deno.test("A media port that another program has is replaced by one that is free", async () => {
  await using lab = await openHostLab();
  await using client = await lab.pairedClient();
  const squatters = [9, 11].map((offset) =>
    Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: lab.portBase + offset })
  );
  try {
    const stream = await client.launch();
    await stream.waitForIdr();
    assert.notEqual(stream.ports.video, lab.portBase + 9);
    assert.notEqual(stream.ports.audio, lab.portBase + 11);
  } finally {
    for (const squatter of squatters) squatter.close();
  }
});

Deno.test("Sizes that are no multiple of 16 are streamed, odd ones cropped", async () => {
  await using lab = await openHostLab();
  await using client = await lab.pairedClient();
  for (const [widthPixels, heightPixels] of [[1366, 768], [1727, 1117]] as const) {
    const stream = await client.launch({ widthPixels, heightPixels });
    await stream.waitForIdr();
    const status = await (await lab.api("/status")).json();
    assert.deepEqual([status.session.width, status.session.height], [
      widthPixels & ~1,
      heightPixels & ~1,
    ]);
    await stream.close();
    await client.cancel();
  }
});

Deno.test("A host that ends tells its client and leaves no descriptor", async () => {
  const before = countDescriptors();
  {
    const lab = await openHostLab();
    await using client = await lab.pairedClient();
    const stream = await client.launch();
    await stream.waitForIdr();
    await lab[Symbol.asyncDispose]();
    assert.deepEqual(await stream.waitForEnd(), {
      kind: "terminated",
      reason: TERMINATION_GRACEFUL,
    });
  }
  assert.ok(countDescriptors() <= before + 1, `${before} before, ${countDescriptors()} after`);
});
