import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import {
  AUDIO_BLOCK_DATA_PACKETS,
  AUDIO_PARITY_HEADER_SIZE_BYTES,
  AUDIO_PARITY_MATRIX,
  AudioPacketiser,
} from "../../../../src/protocol/gamestream/audio_packetiser.ts";
import vectors from "../../../vectors/gamestream-audio.json" with { type: "json" };

/** Product in the field of polynomial 0x11d, bit by bit. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((b >> bit & 1) !== 0) product ^= a << bit;
  }
  for (let bit = 14; bit >= 8; bit--) {
    if ((product >> bit & 1) !== 0) product ^= 0x11d << (bit - 8);
  }
  return product;
}

function parityOf(shard: number, payloads: readonly Uint8Array[]): Uint8Array {
  const parity = new Uint8Array(payloads[0]?.length ?? 0);
  payloads.forEach((payload, column) => {
    const factor = AUDIO_PARITY_MATRIX[shard * AUDIO_BLOCK_DATA_PACKETS + column] ?? 0;
    payload.forEach((byte, at) => parity[at] = (parity[at] ?? 0) ^ multiply(factor, byte));
  });
  return parity;
}

for (const isEncrypted of [false, true]) {
  const recorded = isEncrypted ? vectors.encrypted : vectors.plain;
  const name = isEncrypted ? "encrypted" : "plain";
  Deno.test(`AudioPacketiser and its matrix make the recorded ${name} block`, () => {
    const packetiser = new AudioPacketiser({
      packetDurationMs: 5,
      rikeyId: isEncrypted ? vectors.rikeyid : null,
    });
    const payloads: Uint8Array[] = [];
    let parityHeaders: Uint8Array = new Uint8Array(0);
    for (const { opus, datagram } of recorded.data) {
      const headers = packetiser.next();
      let payload: Uint8Array = Uint8Array.fromHex(opus);
      if (headers.iv !== null) {
        const cipher = createCipheriv("aes-128-cbc", Uint8Array.fromHex(vectors.rikey), headers.iv);
        payload = concatBytes(cipher.update(payload), cipher.final());
      }
      assert.equal(concatBytes(headers.header, payload).toHex(), datagram);
      payloads.push(payload);
      parityHeaders = headers.parityHeaders;
    }
    recorded.fec.forEach(({ datagram }, shard) => {
      const at = shard * AUDIO_PARITY_HEADER_SIZE_BYTES;
      const header = parityHeaders.subarray(at, at + AUDIO_PARITY_HEADER_SIZE_BYTES);
      assert.equal(concatBytes(header, parityOf(shard, payloads)).toHex(), datagram);
    });
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
