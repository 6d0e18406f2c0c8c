import assert from "node:assert/strict";
import fc from "fast-check";
import {
  DATAGRAM_SIZE_BYTES_MAX,
  VideoOpener,
} from "../../../../src/protocol/punktfunk1/video_opener.ts";
import type { VideoCipher } from "../../../../src/protocol/punktfunk1/video_opener.ts";
import { SealCounter, sealNonce } from "../../../../src/protocol/punktfunk1/video_seal.ts";
import { TestVideoStream } from "../../../support/punktfunk1_video.ts";
import vectors from "../../../vectors/punktfunk1-aead.json" with { type: "json" };

const SALT = Uint8Array.fromHex(vectors.salt);
const KEYS: Readonly<Record<VideoCipher, Uint8Array>> = {
  "aes-128-gcm": Uint8Array.fromHex(vectors.aes128Key),
  "chacha20-poly1305": Uint8Array.fromHex(vectors.chacha20Key),
};
const openOpener = (cipher: VideoCipher = "aes-128-gcm") =>
  new VideoOpener({ cipher, key: KEYS[cipher], salt: SALT });

function cipherOf(text: string): VideoCipher {
  assert.ok(text === "aes-128-gcm" || text === "chacha20-poly1305");
  return text;
}

Deno.test("VideoOpener opens what the host sealed and nothing that the client did", () => {
  for (const { cipher, direction, sequence, datagram } of vectors.datagrams) {
    const opener = openOpener(cipherOf(cipher));
    const packet = opener.open(Uint8Array.fromHex(datagram));
    const text = packet && new TextDecoder().decode(packet);
    assert.equal(
      text,
      direction === "H→C" ? vectors.plaintext : undefined,
      `${cipher} ${sequence}`,
    );
  }
});

Deno.test("sealNonce() sets the direction's bit of the salt, whatever it was", () => {
  for (const salt of ["93374299", "13374299"]) {
    const bytes = Uint8Array.fromHex(salt);
    assert.equal(sealNonce(bytes, "host").toHex(), "133742990000000000000000");
    assert.equal(sealNonce(bytes, "client").toHex(), "933742990000000000000000");
    assert.equal(bytes.toHex(), salt);
  }
});

Deno.test("VideoOpener drops a datagram that came before", () => {
  const opener = openOpener();
  const [datagram = new Uint8Array(0)] = vectors.datagrams.map(({ datagram }) =>
    Uint8Array.fromHex(datagram)
  );
  assert.notEqual(opener.open(datagram), undefined);
  assert.equal(opener.open(datagram), undefined);
  assert.deepEqual(opener.stats, { opened: 1, misshapen: 0, forged: 0, replayed: 1 });
});

Deno.test("VideoOpener drops every shortened and every changed datagram, and opens the true one after them", () => {
  const opener = openOpener();
  const datagram = Uint8Array.fromHex(vectors.datagrams[0]?.datagram ?? "");
  for (let length = 0; length < datagram.length; length++) {
    assert.equal(opener.open(datagram.subarray(0, length)), undefined);
  }
  assert.equal(opener.stats.misshapen, 24);
  for (let at = 0; at < datagram.length; at++) {
    const changed = datagram.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    assert.equal(opener.open(changed), undefined, `byte ${at}`);
  }
  assert.equal(opener.open(new Uint8Array([...datagram, 0])), undefined);
  assert.notEqual(opener.open(datagram), undefined);
  assert.equal(opener.stats.replayed, 0);
});

Deno.test("VideoOpener refuses datagrams larger than the protocol's", () => {
  const opener = new VideoOpener(null);
  assert.notEqual(opener.open(new Uint8Array(DATAGRAM_SIZE_BYTES_MAX)), undefined);
  assert.equal(opener.open(new Uint8Array(DATAGRAM_SIZE_BYTES_MAX + 1)), undefined);
  assert.deepEqual(opener.stats, { opened: 1, misshapen: 1, forged: 0, replayed: 0 });
});

Deno.test("VideoOpener passes plain packets as they are, repeated ones as well", () => {
  const opener = new VideoOpener(null);
  const packet = new Uint8Array([1, 2, 3]);
  assert.equal(opener.open(packet), packet);
  assert.equal(opener.open(packet), packet);
});

Deno.test("VideoOpener gives back the packets of a sealed stream", () => {
  const secrets = { key: KEYS["aes-128-gcm"], salt: SALT };
  const sealed = new TestVideoStream({ seal: { secrets, counter: new SealCounter() } });
  const plain = new TestVideoStream();
  const opener = openOpener();
  for (const size of [1, 600, 5_000]) {
    const opened = sealed.next(size).map((datagram) => opener.open(datagram)?.toHex());
    assert.deepEqual(opened, plain.next(size).map((packet) => packet.toHex()));
  }
});

Deno.test("VideoOpener opens no arbitrary bytes and never throws", () => {
  const opener = openOpener();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    assert.equal(opener.open(bytes), undefined);
  }));
});
