import assert from "node:assert/strict";
import { UdpSocket } from "../../../ffi/wire.ts";
import { FakeClock } from "../../../src/lib/clock.ts";
import { openPackets, type PacketOpener } from "../../../src/probe/packet_opener.ts";
import type { VideoOpenerOptions } from "../../../src/protocol/punktfunk1/video_opener.ts";
import vectors from "../../vectors/punktfunk1-aead.json" with { type: "json" };

/** Long enough to be no limit: what is waited for has been sent. */
const WAIT_MS = 5_000;

const salt = Uint8Array.fromHex(vectors.salt);
const SEALS: Readonly<Record<string, NonNullable<VideoOpenerOptions>>> = {
  "aes-128-gcm": { cipher: "aes-128-gcm", key: Uint8Array.fromHex(vectors.aes128Key), salt },
  "chacha20-poly1305": {
    cipher: "chacha20-poly1305",
    key: Uint8Array.fromHex(vectors.chacha20Key),
    salt,
  },
};

/** One test against the opener of each cipher, with what a host of the vectors sealed for it. */
function contract(
  name: string,
  check: (parts: {
    readonly opener: PacketOpener;
    readonly host: UdpSocket;
    readonly datagrams: readonly Uint8Array<ArrayBuffer>[];
  }) => Promise<void>,
): void {
  for (const [cipher, seal] of Object.entries(SEALS)) {
    Deno.test(`openPackets(), ${cipher}: ${name}`, async () => {
      await using host = UdpSocket.open({ address: "127.0.0.1", port: 0 });
      await using opener = openPackets({
        host: { address: "127.0.0.1", port: host.port },
        seal,
        clock: new FakeClock(),
      });
      const datagrams = vectors.datagrams
        .filter((vector) => vector.cipher === cipher && vector.direction === "H→C")
        .map(({ datagram }) => Uint8Array.fromHex(datagram));
      await check({ opener, host, datagrams });
    });
  }
}

/** Text of the packets of as many calls as it takes to get `count`. */
async function receive(opener: PacketOpener, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    await opener.receive(WAIT_MS, (packet, nowUs) => {
      assert.ok(nowUs > 0);
      texts.push(new TextDecoder().decode(packet));
    });
  }
  return texts;
}

contract("receive() hands over what the host sealed, and counts the rest", async (parts) => {
  const { opener, host, datagrams } = parts;
  const [first, second] = datagrams;
  assert.ok(first && second);
  const to = { address: "127.0.0.1", port: opener.port };
  const bent = first.slice();
  bent[9] = (bent[9] ?? 0) ^ 1;
  for (const datagram of [new Uint8Array(23), bent, first, first, second]) host.send(datagram, to);
  assert.deepEqual(await receive(opener, 2), [vectors.plaintext, vectors.plaintext]);
  const { opened, misshapen, forged, replayed } = opener.stats;
  assert.deepEqual(
    { opened, misshapen, forged, replayed },
    { opened: 2, misshapen: 1, forged: 1, replayed: 1 },
  );
  assert.equal(opener.receivedBytes, 23 + 3 * first.byteLength + second.byteLength);
  assert.equal(opener.overflowed, 0);
});

contract("send() reaches the host from the port that is told", async ({ opener, host }) => {
  opener.send(Uint8Array.of(1, 2));
  const datagram = await host.receive(WAIT_MS);
  assert.deepEqual([datagram?.bytes, datagram?.port], [Uint8Array.of(1, 2), opener.port]);
});

contract("close() ends a receive that waits, and twice is legal", async ({ opener }) => {
  const waiting = opener.receive(100 * WAIT_MS, () => assert.fail("nothing was sent"));
  await opener.close();
  await waiting;
  await opener.close();
});
