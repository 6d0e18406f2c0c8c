import assert from "node:assert/strict";
import { createReferencePacketStream } from "../../../../src/media/wire/reference_kernel.ts";
import {
  AUDIO_BLOCK_DATA_PACKETS,
  AUDIO_BLOCK_PARITY_PACKETS,
  AUDIO_PARITY_HEADER_SIZE_BYTES,
  AUDIO_PARITY_MATRIX,
  AudioPacketiser,
} from "../../../../src/protocol/gamestream/audio_packetiser.ts";
import vectors from "../../../vectors/gamestream-audio.json" with { type: "json" };

for (const isEncrypted of [false, true]) {
  const recorded = isEncrypted ? vectors.encrypted : vectors.plain;
  const name = isEncrypted ? "encrypted" : "plain";
  Deno.test(`AudioPacketiser makes the recorded ${name} block with the reference kernel`, () => {
    const packetiser = new AudioPacketiser({
      packetDurationMs: 5,
      rikeyId: isEncrypted ? vectors.rikeyid : null,
    });
    const stream = createReferencePacketStream({
      dataCount: AUDIO_BLOCK_DATA_PACKETS,
      parityCount: AUDIO_BLOCK_PARITY_PACKETS,
      parityMatrix: AUDIO_PARITY_MATRIX,
      cbcKey: isEncrypted ? Uint8Array.fromHex(vectors.rikey) : null,
    });
    const datagrams = recorded.data.flatMap(({ opus }) =>
      stream.build(Uint8Array.fromHex(opus), packetiser.next())
    );
    assert.deepEqual(
      datagrams.map((bytes) => bytes.toHex()),
      [...recorded.data, ...recorded.fec].map(({ datagram }) => datagram),
    );
  });
}

Deno.test("AudioPacketiser.next() returns the recorded IVs over the 32-bit wrap", () => {
  const packetiser = new AudioPacketiser({ packetDurationMs: 5, rikeyId: vectors.rikeyid });
  for (const { iv } of vectors.encrypted.data) {
    assert.equal(packetiser.next().iv?.toHex(), iv);
  }
});

Deno.test("AudioPacketiser.next() wraps the sequence and lets the timestamp go on", () => {
  const packetiser = new AudioPacketiser({ packetDurationMs: 10, rikeyId: 0x7fff_ffff });
  for (let count = 0; count < 65_536; count++) packetiser.next();
  const { header, iv, parityHeaders } = packetiser.next();
  assert.equal(header.toHex(), `80610000${(655_360).toString(16).padStart(8, "0")}00000000`);
  assert.equal(iv?.toHex(), "7fffffff".padEnd(32, "0"));
  assert.equal(
    parityHeaders.subarray(0, 24).toHex(),
    "807f0004000000000000000000610000000a000000000000",
  );
});

Deno.test("AudioPacketiser.next() reuses its buffers and names the block's first packet", () => {
  const packetiser = new AudioPacketiser({ packetDurationMs: 5, rikeyId: null });
  const first = packetiser.next();
  assert.equal(first.iv, null);
  for (let count = 1; count < 8; count++) assert.equal(packetiser.next(), first);
  const second = new DataView(first.parityHeaders.buffer, AUDIO_PARITY_HEADER_SIZE_BYTES);
  assert.equal(second.getUint16(2), 9);
  assert.equal(second.getUint8(12), 1);
  assert.equal(second.getUint16(14), 4);
  assert.equal(second.getUint32(16), 20);
});
