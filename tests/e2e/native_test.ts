/**
 * The native plane from outside: a host and a client, each a process, over both QUIC stacks.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { QuicAdapterId } from "../../src/quic/ports.ts";
import { LAB_PIN, openNativeLab, type ProbeRun } from "./native_lab.ts";

const FRAMES = 300;

function assertWhole({ code, result, error }: ProbeRun, frames: number): void {
  assert.equal(error, undefined);
  assert.deepEqual(result?.problems, []);
  assert.equal(code, 0);
  const counts = result.stream?.frames;
  assert.equal(counts?.expected, frames);
  assert.equal(counts.received, frames);
  assert.equal(counts.verified, frames);
  assert.equal(counts.wrong, 0);
  assert.equal(counts.lost, 0);
}

const PAIRS: readonly (readonly [host: QuicAdapterId, client: QuicAdapterId])[] = [
  ["quinn", "quinn"],
  ["quinn", "deno"],
  ["deno", "quinn"],
  ["deno", "deno"],
];

for (const [hostQuic, clientQuic] of PAIRS) {
  Deno.test(`\`probe\` over ${clientQuic} gets every byte of a host over ${hostQuic}`, async () => {
    await using lab = await openNativeLab(hostQuic, [
      ...["--frames", String(FRAMES), "--max-sessions", "1", "--allow-tofu"],
    ]);
    const run = await lab.probe("client", {
      quic: clientQuic,
      args: ["--fingerprint", lab.fingerprint],
    });
    assertWhole(run, FRAMES);
    assert.equal(run.result?.host.quic, clientQuic);
    assert.equal(run.result.host.fingerprint, lab.fingerprint);
    assert.equal(await lab.hostExit(), 0);
  });
}

Deno.test("`probe --pin` pairs by certificate, and a stranger stays out", async () => {
  await using lab = await openNativeLab("quinn", ["--frames", "30"]);
  const pair = await lab.probe("client", { quic: "quinn", args: ["--pin", LAB_PIN] });
  assertWhole(pair, 30);
  assert.equal(pair.result?.host.identity, "certificate");
  assert.equal(pair.result.host.paired, true);
  // It is known now, and knows the host: neither PIN nor fingerprint is needed.
  assertWhole(await lab.probe("client", { quic: "quinn" }), 30);

  const stranger = await lab.probe("stranger", { quic: "quinn", args: ["--timeout", "1"] });
  assert.equal(stranger.code, 3);
  assert.equal(stranger.error?.code, "unreachable");
});

Deno.test("`probe --pin` pairs by device key where the host sees no certificates", async () => {
  await using lab = await openNativeLab("deno", ["--frames", "30"]);
  for (const quic of ["quinn", "deno"] as const) {
    const args = ["--device-key", "--fingerprint", lab.fingerprint];
    const name = "client";
    const pin = quic === "quinn" ? ["--pin", LAB_PIN] : [];
    const run = await lab.probe(name, { quic, args: [...args, ...pin] });
    assertWhole(run, 30);
    assert.equal(run.result?.host.identity, "device-key");
  }
});

Deno.test("`probe --pin` with a wrong PIN exits 1, and has used the PIN up", async () => {
  await using lab = await openNativeLab("quinn", ["--frames", "30"]);
  const wrong = await lab.probe("client", { quic: "quinn", args: ["--pin", "9999"] });
  assert.equal(wrong.code, 1);
  assert.match(wrong.error?.message ?? "", /the PIN is wrong/);
  const late = await lab.probe("other", { quic: "quinn", args: ["--pin", LAB_PIN] });
  assert.equal(late.code, 1);
});

for (const quic of ["quinn", "deno"] as const) {
  Deno.test(`\`probe\` over ${quic} exits 4 for a host with another certificate`, async () => {
    await using lab = await openNativeLab("quinn", ["--frames", "30", "--allow-tofu"]);
    const run = await lab.probe("client", { quic, args: ["--fingerprint", "ab".repeat(32)] });
    assert.equal(run.code, 4);
    assert.equal(run.error?.code, "certificate-mismatch");
  });
}

for (
  const [setting, cipher] of [["on", "chacha20-poly1305"], ["off", "aes-128-gcm"]] as const
) {
  Deno.test(`\`probe --chacha20\` streams sealed with ${cipher} where the host's setting is ${setting}`, async () => {
    await using lab = await openNativeLab("quinn", ["--frames", "60", "--allow-tofu"], {
      PUNKTFUNK_CHACHA20: setting,
    });
    const run = await lab.probe("client", { quic: "quinn", args: ["--chacha20"] });
    assertWhole(run, 60);
    assert.equal(run.result?.stream?.terms.cipher, cipher);
  });
}

Deno.test("`probe --adaptive` has its rate from a ramp before the first frame", async () => {
  await using lab = await openNativeLab("quinn", ["--source", "synthetic-abr", "--allow-tofu"]);
  const { code, result } = await lab.probe("client", {
    quic: "quinn",
    args: ["--adaptive", "--bitrate", "20000", "--seconds", "1"],
  });
  assert.deepEqual(result?.problems, []);
  assert.equal(code, 0);
  // A burst beside the video would come after this stream's end.
  assert.ok(result.stream?.notes.some(({ kind }) => kind === "bitrate-changed"));
});

Deno.test("`punktfunk1-host` answers losses with key frames, or with waves where it is told to", async () => {
  for (const answer of ["idr", "wave:6"]) {
    await using lab = await openNativeLab("quinn", [
      ...["--source", "synthetic-abr", "--allow-tofu"],
      ...["--idr-pct", "100", "--keyframe-answer", answer],
    ], { PUNKTFUNK_VIDEO_DROP: "5", PUNKTFUNK_FEC_PCT: "0" });
    const { result } = await lab.probe("client", {
      quic: "quinn",
      args: ["--seconds", "2", "--bitrate", "2000"],
    });
    const { lost = 0, key = 0, wrong } = result?.stream?.frames ?? {};
    assert.equal(wrong, 0);
    assert.ok(lost > 1, `${lost} lost`);
    if (answer === "idr") assert.ok(key > 1, `${key} key frames`);
    else assert.ok(key <= 1, `${key} key frames`);
  }
});

Deno.test("`probe` mends what parity can, tells what it cannot, and takes no wrong byte", async () => {
  for (const percent of [3, 60]) {
    await using lab = await openNativeLab("quinn", ["--frames", "120", "--allow-tofu"], {
      PUNKTFUNK_VIDEO_DROP: String(percent),
    });
    const { code, result } = await lab.probe("client", { quic: "quinn" });
    const { received = 0, lost = 0, recovered = 0, wrong } = result?.stream?.frames ?? {};
    assert.equal(wrong, 0);
    assert.equal(received + lost, 120);
    assert.equal(code, lost === 0 ? 0 : 1);
    // Which packets fall is chance, but not that some of thousands do.
    if (percent === 3) assert.ok(recovered > 0, `${recovered} mended`);
    else assert.ok(lost > 0, `${lost} lost`);
  }
});

Deno.test("`probe` reads from real pictures when they were drawn, and hears the sound", async () => {
  // No desktop: the test picture is encoded, and its tones.
  const bare = { SWAYSOCK: "", WAYLAND_DISPLAY: "" };
  await using lab = await openNativeLab("quinn", ["--source", "virtual", "--allow-tofu"], bare);
  const wave = await Deno.makeTempFile({ prefix: "pf-native-" });
  try {
    const { code, result } = await lab.probe("client", {
      quic: "quinn",
      args: [
        ...["--seconds", "2", "--mode", "640x360@30", "--clock-strips", "--audio-out", wave],
        ...["--input", "--mic-tone", "440", "--probe-link", "20000:100"],
      ],
    });
    assert.deepEqual(result?.problems, []);
    assert.equal(code, 0);
    const { frames, drawn_to_received_ms, sound, link, sent } = result.stream ?? assert.fail();
    assert.ok(frames.received > 10);
    assert.equal(frames.verified, 0);
    assert.equal(drawn_to_received_ms?.count, frames.received);
    assert.ok((sound.peak ?? 0) > 0.01, `peak ${sound.peak}`);
    assert.equal(sound.damaged, 0);
    assert.ok((await Deno.stat(wave)).size > 44);
    assert.ok(link !== null && link.receivedPackets > 0);
    assert.ok(sent.input_events > 10 && sent.microphone_packets > 10);
  } finally {
    await Deno.remove(wave);
  }
});
