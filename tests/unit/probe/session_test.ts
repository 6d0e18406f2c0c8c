import assert from "node:assert/strict";
import { FakeClock } from "../../../src/lib/clock.ts";
import type { PacketOpener } from "../../../src/probe/packet_opener.ts";
import { problemsOf, streamResult } from "../../../src/probe/result.ts";
import { ProbeSession, type SessionOptions } from "../../../src/probe/session.ts";
import { Samples } from "../../../src/probe/statistics.ts";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
} from "../../../src/protocol/punktfunk1/control.ts";
import { encodeAudio } from "../../../src/protocol/punktfunk1/datagrams/audio.ts";
import { encodeHostTiming } from "../../../src/protocol/punktfunk1/datagrams/host_timing.ts";
import { isPunch } from "../../../src/protocol/punktfunk1/punch.ts";
import { decodeStart } from "../../../src/protocol/punktfunk1/start.ts";
import { type Welcome, WELCOME_DEFAULTS } from "../../../src/protocol/punktfunk1/welcome.ts";
import { SHARD_PAYLOAD_BYTES, TERMS, TestVideoStream } from "../../support/punktfunk1_video.ts";
import { dialFakes } from "./fixture.ts";

const CLIENT_PORT = 51_000;
const UNIT_BYTES = 3_000;

const WELCOME: Welcome = {
  ...WELCOME_DEFAULTS,
  udpPort: 50_000,
  mode: { width: 1280, height: 720, refreshHz: 60 },
  fecScheme: TERMS.scheme,
  fecPercent: TERMS.percent,
  dataShardsMax: TERMS.blockDataShardsMax,
  shardPayloadBytes: SHARD_PAYLOAD_BYTES,
  isEncrypted: false,
  key: new Uint8Array(16),
  salt: new Uint8Array(4),
  frameCount: 0,
};

/** Hands over what a test put in, one batch a call; every call takes `stepMs` of the clock. */
class FakeOpener implements PacketOpener {
  readonly port = CLIENT_PORT;
  readonly stats = { opened: 0, misshapen: 0, forged: 0, replayed: 0 };
  readonly receivedBytes = 0;
  readonly overflowed = 0;
  readonly batches: (readonly Uint8Array[])[] = [];
  readonly sent: Uint8Array[] = [];
  /** Called before each batch. */
  onReceive: () => void = () => {};
  readonly #clock: FakeClock;
  readonly #stepMs: number;

  constructor(clock: FakeClock, stepMs: number) {
    this.#clock = clock;
    this.#stepMs = stepMs;
  }

  async receive(_timeoutMs: number, take: (packet: Uint8Array, nowUs: number) => void) {
    // Lets the other end and the session's readers have their turns.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    this.#clock.advance(this.#stepMs);
    this.onReceive();
    for (const packet of this.batches.shift() ?? []) take(packet, this.#clock.monotonicUs());
  }

  send(bytes: Uint8Array) {
    this.sent.push(bytes);
  }

  close() {
    return Promise.resolve();
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

async function openLab(changes: Partial<SessionOptions> & { stepMs?: number } = {}) {
  const ends = await dialFakes();
  const opener = new FakeOpener(ends.clock, changes.stepMs ?? 5);
  const session = new ProbeSession({
    dialed: ends.dialed,
    welcome: WELCOME,
    opener,
    clock: ends.clock,
    limits: { frames: undefined, seconds: undefined, silenceMs: 1_000 },
    shardPayloadBytesMax: 9_152,
    isQuit: false,
    ...changes,
  });
  const heard: ControlMessage[] = [];
  const start = ends.control.next().then((payload) =>
    decodeStart(payload ?? assert.fail("no Start"), { hasExt: false })
  );
  /** Reads what the client says, and answers its clock: this host is `aheadNs` ahead. */
  const serving = (async () => {
    await start;
    for (let payload; (payload = await ends.control.next()) !== undefined;) {
      const message = decodeControl(payload) ?? assert.fail("no message");
      heard.push(message);
      if (message.kind !== "clock-probe") continue;
      const at = message.sentNs + 1_000_000n;
      ends.control.send(encodeControl({
        kind: "clock-echo",
        probeSentNs: message.sentNs,
        probeReceivedNs: at,
        echoSentNs: at,
      }));
    }
  })();
  const say = (message: ControlMessage) => ends.control.send(encodeControl(message));
  return { ...ends, opener, session, heard, start, serving, say };
}

function frames(stream: TestVideoStream, count: number): Uint8Array[][] {
  return Array.from({ length: count }, () => stream.next(UNIT_BYTES));
}

Deno.test("ProbeSession takes a whole test stream and leaves with 0", async () => {
  const lab = await openLab({ welcome: { ...WELCOME, frameCount: 30 } });
  lab.opener.batches.push(...frames(new TestVideoStream(), 30));
  await lab.session.run();
  assert.equal((await lab.start).udpPort, CLIENT_PORT);
  assert.equal(lab.session.end, "complete");
  assert.deepEqual(problemsOf(lab.session), []);
  assert.equal(lab.session.video.verifiedFrames, 30);
  assert.equal((await lab.host.closed).code, 0);
  await lab.serving;
});

Deno.test("ProbeSession measures the clock before it punches, and then punches on", async () => {
  const lab = await openLab({ limits: { frames: undefined, seconds: 5, silenceMs: 9_000 } });
  lab.opener.onReceive = () => {
    const probes = lab.heard.filter(({ kind }) => kind === "clock-probe").length;
    if (lab.opener.sent.length > 0) assert.equal(probes, 8);
  };
  lab.opener.batches.push(
    ...Array.from({ length: 40 }, () => []),
    ...frames(new TestVideoStream(), 1),
  );
  await lab.session.run();
  assert.equal(lab.session.clockSync.estimate.offsetNs, 1_000_000n);
  assert.ok(lab.opener.sent.every(isPunch));
  // Fifteen, the last of them after 2.8 s, then one every two.
  assert.equal(lab.opener.sent.length, 16);
});

Deno.test("ProbeSession mends frames from parity and still finds every byte", async () => {
  const lab = await openLab({ welcome: { ...WELCOME, frameCount: 10 } });
  const whole = frames(new TestVideoStream(), 10);
  // Six data shards and two of parity: any two may be missing.
  lab.opener.batches.push(...whole.map((packets) => packets.slice(2)));
  await lab.session.run();
  assert.deepEqual(problemsOf(lab.session), []);
  assert.equal(lab.session.video.statistics.recoveredFrames, 10);
});

Deno.test("ProbeSession tells lost frames, asks for their repair, and fails the stream", async () => {
  const lab = await openLab({ welcome: { ...WELCOME, frameCount: 40 }, stepMs: 20 });
  const whole = frames(new TestVideoStream(), 40);
  whole[5] = [];
  whole[6] = [];
  lab.opener.batches.push(...whole);
  await lab.session.run();
  assert.equal(lab.session.video.statistics.lostFrames, 2);
  assert.deepEqual(problemsOf(lab.session), ["Only 38 of 40 frames came"]);
  const request = lab.heard.find(({ kind }) => kind === "rfi-request");
  assert.deepEqual(request, { kind: "rfi-request", firstFrame: 5, lastFrame: 6 });
});

Deno.test("ProbeSession finds a single wrong byte", async () => {
  const lab = await openLab({ welcome: { ...WELCOME, frameCount: 3 } });
  const whole = frames(new TestVideoStream(), 3);
  const packet = whole[1]?.[0] ?? assert.fail();
  packet[60] = (packet[60] ?? 0) ^ 1;
  lab.opener.batches.push(...whole);
  await lab.session.run();
  assert.deepEqual(problemsOf(lab.session), ["Frames with wrong bytes: 1"]);
});

Deno.test("ProbeSession recognises an endless test stream by its first frame", async () => {
  for (const isTest of [true, false]) {
    const lab = await openLab({ limits: { frames: 4, seconds: undefined, silenceMs: 1_000 } });
    const whole = frames(new TestVideoStream(), 4);
    if (!isTest) {
      const packet = whole[0]?.[0] ?? assert.fail();
      packet[50] = (packet[50] ?? 0) ^ 1;
    }
    lab.opener.batches.push(...whole);
    await lab.session.run();
    assert.equal(lab.session.video.isVerified, isTest);
    assert.equal(lab.session.video.verifiedFrames, isTest ? 4 : 0);
    assert.deepEqual(problemsOf(lab.session), []);
  }
});

Deno.test("ProbeSession ends when nothing comes, when told to, and when the host closes", async () => {
  const silent = await openLab();
  await silent.session.run();
  assert.equal(silent.session.end, "silence");
  assert.deepEqual(problemsOf(silent.session), ["No frame came"]);

  const stopped = await openLab({ isQuit: true });
  stopped.opener.batches.push(...frames(new TestVideoStream(), 1));
  stopped.opener.onReceive = () => {
    if (stopped.session.video.statistics.frames === 1) stopped.session.stop();
  };
  await stopped.session.run();
  assert.equal(stopped.session.end, "stopped");
  assert.deepEqual(problemsOf(stopped.session), []);
  assert.equal((await stopped.host.closed).code, 0x51);

  for (
    const [code, problems] of [
      [0, []],
      [0x52, []],
      [0x6b, ["The host ended the session: host-power"]],
    ] as const
  ) {
    const closed = await openLab();
    closed.opener.batches.push(...frames(new TestVideoStream(), 1));
    closed.opener.onReceive = () => {
      if (closed.session.video.statistics.frames === 1) closed.host.close(code, "");
    };
    await closed.session.run();
    assert.equal(closed.session.end, "host-closed");
    assert.deepEqual(problemsOf(closed.session), problems);
  }
});

Deno.test("ProbeSession reports loss and delivery every 750 ms, and not what was a pause", async () => {
  const lab = await openLab({
    limits: { frames: undefined, seconds: 2.2, silenceMs: 9_000 },
    stepMs: 10,
  });
  lab.opener.batches.push(...frames(new TestVideoStream(), 1));
  lab.opener.onReceive = () => {
    if (lab.heard.filter(({ kind }) => kind === "delivery-report").length === 1) {
      lab.opener.onReceive = () => {};
      lab.say({ kind: "pipeline-gap", gapMs: 300 });
    }
  };
  await lab.session.run();
  const kinds = lab.heard.map(({ kind }) => kind).filter((kind) => kind.endsWith("-report"));
  assert.deepEqual(kinds, ["loss-report", "delivery-report", "delivery-report"]);
});

Deno.test("ProbeSession answers and notes what the host says on the way", async () => {
  const lab = await openLab({ limits: { frames: undefined, seconds: 0.5, silenceMs: 9_000 } });
  lab.say({ kind: "shard-payload-changed", shardPayloadBytes: 1_200 });
  lab.say({ kind: "shard-payload-changed", shardPayloadBytes: 9_154 });
  lab.say({ kind: "bitrate-changed", kbps: 7_000, reason: undefined });
  lab.host.sendDatagram(
    encodeAudio({ sequence: 1, ptsNs: 5n, payload: Uint8Array.of(1) }, "audio"),
  );
  lab.host.sendDatagram(
    encodeAudio({ sequence: 3, ptsNs: 5n, payload: Uint8Array.of(1) }, "audio"),
  );
  lab.host.sendDatagram(encodeHostTiming({ ptsNs: 1n, totalUs: 2_000, stages: undefined }));
  lab.opener.batches.push(...frames(new TestVideoStream(), 1));
  await lab.session.run();
  const acks = lab.heard.filter(({ kind }) => kind === "shard-payload-ack");
  assert.deepEqual(acks, [{ kind: "shard-payload-ack", shardPayloadBytes: 1_200 }]);
  const result = streamResult(lab.session, {
    opener: lab.opener,
    drawnToReceived: new Samples(),
    hasDecodedSound: false,
  });
  assert.equal(result.granted_kbps, 7_000);
  assert.deepEqual(result.notes.map(({ kind }) => kind), [
    "shard-payload-changed",
    "shard-payload-changed",
    "bitrate-changed",
  ]);
  assert.deepEqual([result.sound.packets, result.sound.lost, result.sound.peak], [2, 1, null]);
  assert.equal(result.host_ms?.max, 2);
  assert.equal(JSON.stringify(result).includes('key":"'), false);
});

Deno.test("ProbeSession waits for the link to be measured, and sends scripted input", async () => {
  const lab = await openLab({
    limits: { frames: 1, seconds: undefined, silenceMs: 30_000 },
    link: { targetKbps: 1_000, durationMs: 100 },
    inputStep: () => [{ kind: "pointer-motion", dx: 1, dy: 2 }],
    stepMs: 10,
  });
  lab.opener.batches.push(...frames(new TestVideoStream(), 1));
  lab.opener.onReceive = () => {
    if (!lab.heard.some(({ kind }) => kind === "probe-request")) return;
    lab.opener.onReceive = () => {};
    lab.say({
      kind: "probe-result",
      bytes: 0n,
      packets: 0,
      durationMs: 100,
      wireSent: 8,
      dropped: 0,
    });
  };
  await lab.session.run();
  assert.equal(lab.session.end, "complete");
  assert.deepEqual(lab.session.linkProbe?.result, {
    targetKbps: 1_000,
    durationMs: 100,
    isAnswered: true,
    receivedPackets: 0,
    receivedKbps: 0,
    sentPackets: 8,
    droppedPackets: 0,
    lossRatio: 1,
  });
  assert.ok(lab.session.inputEvents >= 4);
  assert.deepEqual((await lab.host.readDatagram())?.toHex().slice(0, 4), "c802");
});

Deno.test("ProbeSession tells its rate controller what comes and passes its wish on", async () => {
  const told = new Map<string, number>();
  const tell = (what: string) => void told.set(what, (told.get(what) ?? 0) + 1);
  const lab = await openLab({
    limits: { frames: undefined, seconds: 1, silenceMs: 9_000 },
    stepMs: 10,
    rateController: {
      packet: ({ frameIndex }) => tell(`packet of ${frameIndex}`),
      framesLost: () => tell("lost"),
      pipelineGap: () => tell("gap"),
      roundTrip: () => tell("round trip"),
      granted: ({ kbps, reason }) => tell(`${kbps} ${reason}`),
      measuring: () => tell("measuring"),
      measured: () => undefined,
      poll() {
        tell("poll");
        return told.get("poll") === 10 ? 4_000 : undefined;
      },
    },
  });
  lab.say({ kind: "bitrate-changed", kbps: 9_000, reason: "granted" });
  lab.say({ kind: "pipeline-gap", gapMs: 50 });
  const [first = [], , third = [], ...others] = frames(new TestVideoStream(), 12);
  lab.opener.batches.push(first, third, ...others);
  await lab.session.run();
  assert.equal(told.get("packet of 0"), first.length);
  assert.equal(told.get("packet of 1"), undefined);
  assert.equal(told.get("packet of 2"), third.length);
  for (const what of ["9000 granted", "gap", "lost"]) assert.equal(told.get(what), 1, what);
  assert.ok(lab.heard.some((one) => one.kind === "set-bitrate" && one.kbps === 4_000));
});
