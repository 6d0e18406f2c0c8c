import assert from "node:assert/strict";
import fc from "fast-check";
import {
  DATAGRAM_SIZE_BYTES_MAX,
  VideoOpener,
} from "../../../../src/protocol/punktfunk1/video_opener.ts";
import { SealCounter, sealNonce } from "../../../../src/protocol/punktfunk1/video_seal.ts";
import type { SealCipher } from "../../../../src/protocol/wire_job.ts";
import {
  SEAL_CIPHERS,
  SEAL_SECRETS,
  SEALED_TEXT,
  SEALED_VECTORS,
} from "../../../support/punktfunk1_seal.ts";
import { TestVideoStream } from "../../../support/punktfunk1_video.ts";

const openOpener = (cipher: SealCipher = "aes-128-gcm") => new VideoOpener(SEAL_SECRETS[cipher]);

Deno.test("VideoOpener opens what the host sealed and nothing that the client did", () => {
  for (const { secrets, from, sequence, datagram } of SEALED_VECTORS) {
    const packet = new VideoOpener(secrets).open(datagram);
    assert.equal(
      packet && new TextDecoder().decode(packet),
      from === "host" ? SEALED_TEXT : undefined,
      `${secrets.cipher} ${sequence}`,
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
  const { datagram } = SEALED_VECTORS[0] ?? assert.fail("no vectors");
  assert.notEqual(opener.open(datagram), undefined);
  assert.equal(opener.open(datagram), undefined);
  assert.deepEqual(opener.stats, { opened: 1, misshapen: 0, forged: 0, replayed: 1 });
});

Deno.test("VideoOpener drops every shortened and every changed datagram, and opens the true one after them", () => {
  const opener = openOpener();
  const { datagram } = SEALED_VECTORS[0] ?? assert.fail("no vectors");
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

Deno.test("VideoOpener gives back the packets of a stream, whatever sealed it", () => {
  for (const cipher of SEAL_CIPHERS) {
    const seal = { secrets: SEAL_SECRETS[cipher], counter: new SealCounter() };
    const sealed = new TestVideoStream({ seal });
    const plain = new TestVideoStream();
    const opener = openOpener(cipher);
    for (const size of [1, 600, 5_000]) {
      const opened = sealed.next(size).map((datagram) => opener.open(datagram)?.toHex());
      assert.deepEqual(opened, plain.next(size).map((packet) => packet.toHex()));
    }
  }
});

Deno.test("VideoOpener opens no arbitrary bytes and never throws", () => {
  const opener = openOpener();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    assert.equal(opener.open(bytes), undefined);
  }));
});
