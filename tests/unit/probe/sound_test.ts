import assert from "node:assert/strict";
import fc from "fast-check";
import { OpusEncoder } from "../../../ffi/opus.ts";
import { MicrophoneTone } from "../../../src/probe/microphone_tone.ts";
import { SoundReceiver } from "../../../src/probe/sound_receiver.ts";
import {
  encodeSamples,
  encodeWaveHeader,
  WAVE_HEADER_BYTES,
  WaveFile,
} from "../../../src/probe/wave_file.ts";
import { decodeAudio } from "../../../src/protocol/punktfunk1/datagrams/audio.ts";
import { soundLayoutOf } from "../../../src/protocol/punktfunk1/sound_layouts.ts";
import { WELCOME_DEFAULTS } from "../../../src/protocol/punktfunk1/welcome.ts";

const FRAME_SAMPLES = 240;
const STEREO_FRAME_BYTES = FRAME_SAMPLES * 2 * 2;

interface TempFile extends AsyncDisposable {
  readonly path: string;
}

async function tempFile(): Promise<TempFile> {
  const path = await Deno.makeTempFile({ prefix: "pf-probe-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Packets of a tone of `channels`, each of 5 ms. */
function opusPackets(count: number, channels: 2 | 6 | 8 = 2): Uint8Array[] {
  const { layout: _number, ...layout } = soundLayoutOf(0, channels);
  using encoder = new OpusEncoder({
    ...layout,
    channels,
    bitrateBps: 128_000,
    frameSamples: FRAME_SAMPLES,
  });
  const sound = new Float32Array(FRAME_SAMPLES * channels);
  return Array.from({ length: count }, (_, frame) => {
    for (let index = 0; index < sound.length; index++) {
      const at = frame * FRAME_SAMPLES + Math.floor(index / channels);
      sound[index] = 0.5 * Math.sin(2 * Math.PI * 1_000 * at / 48_000);
    }
    const pointer = Deno.UnsafePointer.of(sound) ?? assert.fail("no memory");
    return encoder.encode({ pointer, sizeBytes: sound.byteLength }).slice();
  });
}

Deno.test("encodeWaveHeader() writes the 44 bytes of a plain file", () => {
  const header = encodeWaveHeader({ channels: 2, rateHz: 48_000, bits: 16 }, 8);
  assert.equal(
    header.toHex(),
    "524946462c00000057415645666d742010000000010002" +
      "0080bb000000ee02000400100064617461" + "08000000",
  );
});

Deno.test("encodeSamples() scales, rounds and cuts", () => {
  const bytes = encodeSamples(Float32Array.of(0, 1, -1, 2, -2, 0.5));
  const view = new DataView(bytes.buffer);
  const read = Array.from({ length: 6 }, (_, index) => view.getInt16(index * 2, true));
  assert.deepEqual(read, [0, 32_767, -32_767, 32_767, -32_767, 16_384]);
});

Deno.test("WaveFile fills in its sizes when it is closed, and may be closed twice", async () => {
  await using temp = await tempFile();
  const file = WaveFile.create(temp.path, { channels: 1, rateHz: 8_000, bits: 24 });
  file.write(Uint8Array.of(1, 2, 3));
  file.write(Uint8Array.of(4, 5, 6));
  file.close();
  file.close();
  file.write(Uint8Array.of(7, 8, 9));
  const bytes = await Deno.readFile(temp.path);
  const header = encodeWaveHeader({ channels: 1, rateHz: 8_000, bits: 24 }, 6);
  assert.deepEqual(bytes, new Uint8Array([...header, 1, 2, 3, 4, 5, 6]));
  assert.throws(() => WaveFile.create("/nonexistent/x.wav", { channels: 1, rateHz: 1, bits: 16 }), {
    code: "storage",
  });
});

Deno.test("SoundReceiver decodes each layout, mends from copies and conceals what never came", async () => {
  for (const audioChannels of [2, 6, 8] as const) {
    await using temp = await tempFile();
    const packets = opusPackets(6, audioChannels);
    const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = packets;
    const receiver = new SoundReceiver({ ...WELCOME_DEFAULTS, audioChannels }, temp.path);
    receiver.accept({ sequence: 10, ptsNs: 0n, payload: first });
    // Its copy brings 11; 13 never comes.
    receiver.accept({ sequence: 12, ptsNs: 0n, payload: third, previous: second });
    receiver.accept({ sequence: 12, ptsNs: 0n, payload: third });
    receiver.accept({ sequence: 14, ptsNs: 0n, payload: packets[4] ?? assert.fail() });
    receiver.accept({ sequence: 15, ptsNs: 0n, payload: new Uint8Array(0) });
    receiver[Symbol.dispose]();
    const { packets: count, stale, recovered, silent, damaged, peak } = receiver.stats;
    assert.deepEqual([count, stale, recovered, silent, damaged], [5, 1, 1, 1, 0]);
    assert.equal(receiver.lost, 1);
    assert.ok(peak > 0.1 && peak <= 1, `peak ${peak}`);
    const { size } = await Deno.stat(temp.path);
    assert.equal(size, WAVE_HEADER_BYTES + 6 * STEREO_FRAME_BYTES * audioChannels / 2);
  }
});

Deno.test("SoundReceiver writes PCM as it is, and only counts without a file", async () => {
  await using temp = await tempFile();
  const terms = {
    ...WELCOME_DEFAULTS,
    audioCodec: "pcm",
    audioRateHz: 96_000,
    audioBits: 24,
  } as const;
  const receiver = new SoundReceiver(terms, temp.path);
  receiver.accept({ sequence: 0, ptsNs: 0n, payload: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  receiver[Symbol.dispose]();
  const header = encodeWaveHeader({ channels: 2, rateHz: 96_000, bits: 24 }, 6);
  assert.deepEqual(await Deno.readFile(temp.path), new Uint8Array([...header, 1, 2, 3, 4, 5, 6]));

  using counting = new SoundReceiver(WELCOME_DEFAULTS, undefined);
  counting.accept({ sequence: 0, ptsNs: 0n, payload: Uint8Array.of(1, 2) });
  assert.deepEqual([counting.stats.packets, counting.stats.bytes, counting.stats.peak], [1, 2, 0]);
});

Deno.test("SoundReceiver counts arbitrary bytes as damaged and goes on", async () => {
  await using temp = await tempFile();
  using receiver = new SoundReceiver(WELCOME_DEFAULTS, temp.path);
  let sequence = 0;
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (payload) => {
    receiver.accept({ sequence: sequence++, ptsNs: 0n, payload });
  }));
  assert.equal(receiver.stats.packets, sequence);
  assert.ok(receiver.stats.damaged > 0);
});

Deno.test("MicrophoneTone sends 10 ms of a tone every 10 ms, and does not catch up for long", () => {
  const sent: Uint8Array[] = [];
  using tone = new MicrophoneTone({
    toneHz: 440,
    send: (datagram) => void sent.push(datagram),
    nowNs: () => 77n,
  });
  tone.tick(0);
  tone.tick(9_999);
  assert.equal(sent.length, 1);
  tone.tick(35_000);
  assert.equal(sent.length, 4);
  tone.tick(10_000_000);
  assert.equal(tone.count, 5);
  const last = decodeAudio(sent[4] ?? assert.fail(), "microphone");
  assert.deepEqual([last?.sequence, last?.ptsNs], [4, 77n]);
  assert.ok((last?.payload.byteLength ?? 0) > 10);
});
