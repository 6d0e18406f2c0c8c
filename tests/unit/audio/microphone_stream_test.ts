import assert from "node:assert/strict";
import { OpusEncoder } from "../../../ffi/opus.ts";
import { MicrophoneStream } from "../../../src/audio/microphone_stream.ts";
import { OperationError } from "../../../src/lib/errors.ts";
import type { NativeBytes } from "../../../src/media/native_bytes.ts";
import { copyNativeBytes } from "../../../src/media/native_bytes.ts";

const FRAME_SAMPLES = 480;

/** A tone as 10 ms packets, and a stream into a sink that keeps what it hears. */
function openStream() {
  const heard: Float32Array[] = [];
  let opened = 0;
  let closed = 0;
  const stream = new MicrophoneStream(() => {
    opened++;
    return {
      write: (data: NativeBytes) => {
        heard.push(new Float32Array(copyNativeBytes(data).buffer));
      },
      close: () => void closed++,
      [Symbol.dispose]() {},
    };
  });
  return { stream, heard, counts: () => ({ opened, closed }) };
}

function speak(packets: number): Uint8Array<ArrayBuffer>[] {
  using encoder = new OpusEncoder({
    channels: 1,
    streams: 1,
    coupledStreams: 0,
    mapping: [0],
    bitrateBps: 64_000,
    frameSamples: FRAME_SAMPLES,
  });
  return Array.from({ length: packets }, (_, packet) => {
    const pcm = Float32Array.from(
      { length: FRAME_SAMPLES },
      (_, i) => 0.5 * Math.sin((packet * FRAME_SAMPLES + i) * 2 * Math.PI * 440 / 48_000),
    );
    const pointer = Deno.UnsafePointer.of(pcm);
    assert.ok(pointer);
    return encoder.encode({ pointer, sizeBytes: pcm.byteLength }).slice();
  });
}

function loudness(sound: Float32Array): number {
  return Math.sqrt(sound.reduce((sum, sample) => sum + sample * sample, 0) / sound.length);
}

Deno.test("MicrophoneStream plays a mono voice on both channels and opens one microphone", () => {
  const { stream, heard, counts } = openStream();
  assert.equal(counts().opened, 0);
  speak(20).forEach((payload, sequence) => stream.accept({ sequence, payload }));
  assert.equal(heard.length, 20);
  const last = heard.at(-1);
  assert.ok(last);
  assert.equal(last.length, 2 * FRAME_SAMPLES);
  assert.ok(loudness(last) > 0.2);
  assert.equal(last[0], last[1]);
  stream[Symbol.dispose]();
  assert.deepEqual(counts(), { opened: 1, closed: 1 });
});

Deno.test("MicrophoneStream conceals a short gap, bounds a long one, and drops what is late or double", () => {
  const { stream, heard } = openStream();
  const voice = speak(4);
  const say = (sequence: number, index: number) => {
    const payload = voice[index];
    assert.ok(payload);
    stream.accept({ sequence, payload });
    return heard.length;
  };
  assert.equal(say(0xffff_fffe, 0), 1);
  assert.equal(say(0xffff_fffe, 0), 1);
  // Two lost across the wrap: two concealed and the packet itself.
  assert.equal(say(1, 1), 4);
  assert.equal(say(0, 2), 4);
  assert.equal(say(1000, 3), 10);
  stream[Symbol.dispose]();
});

Deno.test("MicrophoneStream follows a change of packet length", () => {
  const { stream, heard } = openStream();
  const [payload] = speak(1);
  assert.ok(payload);
  stream.accept({ sequence: 0, payload });
  // The same frame twice in one packet of 20 ms: code 1.
  const twice = Uint8Array.of(
    (payload[0] ?? 0) | 1,
    ...payload.subarray(1),
    ...payload.subarray(1),
  );
  stream.accept({ sequence: 1, payload: twice });
  assert.deepEqual(heard.map((sound) => sound.length), [960, 1920]);
  stream[Symbol.dispose]();
});

Deno.test("MicrophoneStream stays silent for deliberate silence and for bytes that are no Opus", () => {
  const { stream, heard, counts } = openStream();
  stream.accept({ sequence: 0, payload: new Uint8Array(0) });
  stream.accept({ sequence: 1, payload: Uint8Array.of(0xff, 0x3f) });
  assert.deepEqual([heard.length, counts().opened], [0, 0]);
  stream[Symbol.dispose]();
});

Deno.test("MicrophoneStream opens no microphone for what arrives after its end", () => {
  const { stream, counts } = openStream();
  const voice = speak(2);
  voice.slice(0, 1).forEach((payload) => stream.accept({ sequence: 0, payload }));
  stream[Symbol.dispose]();
  voice.slice(1).forEach((payload) => stream.accept({ sequence: 1, payload }));
  assert.deepEqual(counts(), { opened: 1, closed: 1 });
});

Deno.test("MicrophoneStream hears a client that begins to count anew", () => {
  const { stream, heard } = openStream();
  const [first, second] = speak(2);
  assert.ok(first && second);
  stream.accept({ sequence: 5000, payload: first });
  stream.accept({ sequence: 5000 - 1024, payload: second });
  assert.equal(heard.length, 1);
  stream.accept({ sequence: 5000 - 1025, payload: second });
  assert.equal(heard.length, 2);
  stream[Symbol.dispose]();
});

Deno.test("MicrophoneStream tells its caller when no microphone can be made", () => {
  const stream = new MicrophoneStream(() => {
    throw new OperationError("unavailable", "Cannot make a microphone: no PipeWire");
  });
  const [payload] = speak(1);
  assert.ok(payload);
  assert.throws(() => stream.accept({ sequence: 0, payload }), OperationError);
  stream[Symbol.dispose]();
});
