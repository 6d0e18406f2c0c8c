import assert from "node:assert/strict";
import {
  GRANTS,
  GRANTS_ALL,
  hasBits,
  HOST_CAPS2,
  VIDEO_CAPS,
} from "../../../../src/protocol/punktfunk1/caps.ts";
import { encodeControl } from "../../../../src/protocol/punktfunk1/control.ts";
import type { StreamEnd } from "../../../../src/planes/native/stream.ts";
import { CERTIFICATE, DEVICE, FINGERPRINT, openPlaneLab, settle } from "./plane_lab.ts";

const STOPPED: StreamEnd = { end: "stopped-by-operator", close: "done", reason: "Stopped" };

Deno.test("NativePlane says nothing but clock echoes before the eighth, then what it held back", async () => {
  await using lab = await openPlaneLab({ mtuBytes: 9000 });
  const client = await lab.connect({ shardPayloadBytesMax: 8908, launch: "steam:570" });
  await client.welcome();
  await client.start();
  await settle(() => lab.plane.streams[0]?.isStreaming === true || lab.clock.pendingTimers > 1);
  lab.plane.streams[0]?.setMuted(true);
  const probe = encodeControl({ kind: "clock-probe", sentNs: 1n });
  for (let round = 0; round < 8; round++) {
    await client.send(probe);
    assert.equal((await client.control())?.kind, "clock-echo");
  }
  assert.equal((await client.control())?.kind, "audio-state");
  lab.clock.advance(2_500);
  assert.equal((await client.control())?.kind, "shard-payload-changed");
  assert.equal((await client.control())?.kind, "launch-outcome");
});

Deno.test("NativePlane answers a client's probes before its first frame, and streams when the client has measured", async () => {
  await using lab = await openPlaneLab();
  const client = await lab.connect({ videoCaps: VIDEO_CAPS.probeSequence });
  assert.ok(hasBits((await client.welcome()).hostCaps2, HOST_CAPS2.ramp));
  await client.start();
  await settle(() => lab.clock.pendingTimers > 1);
  lab.clock.advance(2_500);
  await client.send(encodeControl({ kind: "probe-request", targetKbps: 5_000, durationMs: 200 }));
  const result = await client.control();
  assert.ok(result?.kind === "probe-result");
  // 5 Mbit/s for 50 of the 200 ms are 21 packets; a machine that stands still meanwhile sends fewer.
  assert.ok(result.packets <= 21, `${result.packets} packets`);
  assert.ok(result.durationMs >= 50, `${result.durationMs} ms`);
  const [stream] = lab.plane.streams;
  assert.equal(stream?.isStreaming, false);
  assert.equal(stream.session?.timeToFirstPacketMs, undefined);
  await client.send(encodeControl({ kind: "link-report", provenKbps: 5_000 }));
  await settle(() => stream.session?.timeToFirstPacketMs !== undefined);
  assert.equal(stream.isStreaming, true);
});

Deno.test("NativePlane sends Welcome first, with the access that holds then, and no sound to a muted client", async () => {
  const display = Promise.withResolvers<void>();
  await using lab = await openPlaneLab({ beforeDisplay: () => display.promise });
  const client = await lab.connect();
  await settle(() => lab.displays.made === 1);
  const [stream] = lab.plane.streams;
  assert.ok(stream);
  stream.limitGrants(GRANTS.gamepad);
  stream.setMuted(true);
  display.resolve();
  const welcome = await client.welcome();
  assert.equal(welcome.grants, GRANTS.gamepad);
  await client.start();
  await settle(() => lab.clock.pendingTimers > 1);
  lab.clock.advance(1_000);
  assert.deepEqual(await client.control(), { kind: "audio-state", isMuted: true });
});

Deno.test("NativePlane tells a client at once that its session is over, however long opening takes", async () => {
  const display = Promise.withResolvers<void>();
  await using lab = await openPlaneLab({ beforeDisplay: () => display.promise });
  const slow = await lab.connect();
  await settle(() => lab.displays.made === 1);
  lab.clock.advance(10_000);
  assert.equal((await slow.connection.closed).code, 0x68);
  assert.equal(lab.plane.streams.length, 1, "what is being opened still has its place");
  display.resolve();
  await settle(() => lab.plane.streams.length === 0);
  assert.equal(lab.displays.open, 0);
  assert.equal(lab.clock.pendingTimers, 0);
});

Deno.test("NativePlane welcomes nobody whose session ended while it was opened", async () => {
  const display = Promise.withResolvers<void>();
  await using lab = await openPlaneLab({ beforeDisplay: () => display.promise });
  const client = await lab.connect();
  await settle(() => lab.displays.made === 1);
  const stopped = lab.plane.endStreams(STOPPED);
  display.resolve();
  assert.equal(await stopped, 1);
  assert.equal(await client.next(), undefined);
  assert.equal((await client.connection.closed).reason, "Stopped");
});

Deno.test("NativePlane keeps what failed on this machine to its log", async () => {
  const broken = () => Promise.reject(new TypeError("secret of /home/somebody"));
  await using lab = await openPlaneLab({ beforeDisplay: broken });
  const client = await lab.connect();
  const { code, reason } = await client.connection.closed;
  assert.deepEqual([code, /secret/.test(reason)], [0x68, false]);
  assert.ok(lab.logged.some(([, fields]) => /secret/.test(String(fields?.["reason"]))));
});

Deno.test("NativePlane tells a client which of its wishes cannot be", async () => {
  await using lab = await openPlaneLab();
  const modes = [
    { width: 0, height: 0, refreshHz: 60 },
    { width: 0xffff_ffff, height: 720, refreshHz: 60 },
    { width: 1280, height: 720, refreshHz: 0 },
    { width: 1280, height: 720, refreshHz: 1001 },
  ];
  for (const mode of modes) {
    const { code, reason } = await (await lab.connect({ mode })).connection.closed;
    assert.deepEqual([code, /^Cannot use/.test(reason)], [0x68, true]);
  }
  const { code } = await (await lab.connect({ videoCodecs: 0x80 })).connection.closed;
  assert.equal(code, 0x68);
  assert.equal(lab.displays.made, 0);
});

Deno.test("NativePlane leaves no timer behind when a client goes while its punch is awaited", async () => {
  await using lab = await openPlaneLab();
  const client = await lab.connect();
  await client.welcome();
  await client.start();
  await settle(() => lab.clock.pendingTimers > 0);
  client.connection.close(0x51, "");
  await settle(() => lab.plane.streams.length === 0);
  assert.equal(lab.clock.pendingTimers, 0);
  assert.equal(lab.displays.open, 0);
});

Deno.test("NativePlane ends a session whose client tells no port and never punches", async () => {
  await using lab = await openPlaneLab();
  const client = await lab.connect();
  await client.welcome();
  await client.start(0);
  await settle(() => lab.clock.pendingTimers > 0);
  lab.clock.advance(2_500);
  assert.equal((await client.connection.closed).code, 0x68);
});

Deno.test("NativePlane turns away a device that was unpaired while it waited for a slot", async () => {
  await using lab = await openPlaneLab({ policy: "required", sessionsMax: 1 });
  await lab.trust.clients.pair(DEVICE, {});
  const other = Uint8Array.of(5);
  const waiting = await lab.connect({}, other);
  await settle(() => lab.trust.approvals.list().length === 1);
  const [pending] = lab.trust.approvals.list();
  assert.ok(pending);
  const first = await lab.connect({}, CERTIFICATE);
  await first.welcome();
  await lab.trust.approvals.approve(pending.id, { offer: {} });
  await settle(() => lab.plane.waiting === 1);
  await lab.trust.clients.remove(pending.fingerprint);
  first.connection.close(0, "");
  assert.equal((await waiting.connection.closed).code, 0x69);
  assert.equal(await waiting.next(), undefined);
});

Deno.test("NativePlane gives a device that waited for a slot the access it has then", async () => {
  await using lab = await openPlaneLab({ sessionsMax: 1 });
  await lab.trust.clients.pair(DEVICE, { grants: GRANTS_ALL });
  const first = await lab.connect();
  await first.welcome();
  const waiting = await lab.connect({}, CERTIFICATE);
  await settle(() => lab.plane.waiting === 1);
  await lab.trust.clients.change(FINGERPRINT, { grants: GRANTS.gamepad });
  first.connection.close(0, "");
  assert.equal((await waiting.welcome()).grants, GRANTS.gamepad);
});

Deno.test("NativePlane lets one session of a device live, also of those that waited", async () => {
  await using lab = await openPlaneLab({ sessionsMax: 1 });
  const first = await lab.connect();
  await first.welcome();
  const older = await lab.connect({}, CERTIFICATE);
  await settle(() => lab.plane.waiting === 1);
  const newer = await lab.connect({}, CERTIFICATE);
  assert.equal((await older.connection.closed).code, 0);
  assert.equal(lab.plane.waiting, 1);
  first.connection.close(0, "");
  await newer.welcome();
  const newest = await lab.connect({}, CERTIFICATE);
  assert.equal((await newer.connection.closed).reason, "The device connected again");
  await newest.welcome();
  assert.equal(lab.plane.streams.length, 1);
});

Deno.test("NativePlane opens no display for those who waited when it closes", async () => {
  const lab = await openPlaneLab({ sessionsMax: 1 });
  const first = await lab.connect();
  await first.welcome();
  const waiting = await lab.connect();
  await settle(() => lab.plane.waiting === 1);
  await lab[Symbol.asyncDispose]();
  assert.equal((await waiting.connection.closed).code, 0);
  assert.deepEqual(lab.displays, { made: 1, open: 0 });
  assert.equal(lab.clock.pendingTimers, 0);
});

Deno.test("NativePlane counts completed handshakes towards its end, and no refused ones", async () => {
  await using lab = await openPlaneLab({ sessionsTotal: 1 });
  let isDrained = false;
  void lab.plane.drained.then(() => isDrained = true);
  const refused = await lab.connect({ videoCodecs: 0x80 });
  await refused.connection.closed;
  const unfinished = await lab.connect();
  await unfinished.welcome();
  unfinished.connection.close(0, "");
  await settle(() => lab.plane.streams.length === 0);
  const client = await lab.connect();
  await client.welcome();
  await client.start();
  await settle(() => lab.clock.pendingTimers > 1);
  const late = await lab.connect();
  assert.equal((await late.connection.closed).code, 0x42);
  assert.equal(isDrained, false);
  client.connection.close(0, "");
  await settle(() => isDrained);
});
