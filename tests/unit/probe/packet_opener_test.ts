import assert from "node:assert/strict";
import { UdpSocket } from "../../../ffi/wire.ts";
import { FakeClock } from "../../../src/lib/clock.ts";
import { openPackets, type PacketOpener } from "../../../src/probe/packet_opener.ts";
import type { VideoOpenerOptions } from "../../../src/protocol/punktfunk1/video_opener.ts";
import { SEAL_SECRETS, SEALED_TEXT, SEALED_VECTORS } from "../../support/punktfunk1_seal.ts";

/** Long enough to be no limit: what is waited for has been sent. */
const WAIT_MS = 5_000;

interface ContractParts {
  readonly opener: PacketOpener;
  readonly host: UdpSocket;
}

/** One test against each opener: of what either cipher sealed, and of plain packets. */
function contract(
  name: string,
  check: (parts: ContractParts, seal: VideoOpenerOptions) => Promise<void>,
  seals: readonly VideoOpenerOptions[] = [...Object.values(SEAL_SECRETS), null],
): void {
  for (const seal of seals) {
    Deno.test(`openPackets(), ${seal?.cipher ?? "plain"}: ${name}`, async () => {
      await using host = UdpSocket.open({ address: "127.0.0.1", port: 0 });
      await using opener = openPackets({
        host: { address: "127.0.0.1", port: host.port },
        seal,
        clock: new FakeClock(),
      });
      await check({ opener, host }, seal);
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

contract(
  "receive() hands over what the host sealed, and counts the rest",
  async ({ opener, host }, seal) => {
    const sealed = SEALED_VECTORS.filter(({ from, secrets }) =>
      from === "host" && secrets === seal
    );
    const [first, second] = sealed.map(({ datagram }) => datagram);
    assert.ok(first && second);
    const to = { address: "127.0.0.1", port: opener.port };
    const bent = first.slice();
    bent[9] = (bent[9] ?? 0) ^ 1;
    for (const bytes of [new Uint8Array(23), bent, first, first, second]) host.send(bytes, to);
    assert.deepEqual(await receive(opener, 2), [SEALED_TEXT, SEALED_TEXT]);
    const { opened, misshapen, forged, replayed } = opener.stats;
    assert.deepEqual(
      { opened, misshapen, forged, replayed },
      { opened: 2, misshapen: 1, forged: 1, replayed: 1 },
    );
    assert.equal(opener.receivedBytes, 23 + 3 * first.byteLength + second.byteLength);
    assert.equal(opener.overflowed, 0);
  },
  Object.values(SEAL_SECRETS),
);

contract(
  "receive() hands over what came from the host's port, as it is",
  async ({ opener, host }) => {
    await using stranger = UdpSocket.open({ address: "127.0.0.1", port: 0 });
    const to = { address: "127.0.0.1", port: opener.port };
    const text = new TextEncoder();
    stranger.send(text.encode("stranger"), to);
    for (const packet of ["one", "one", "two"]) host.send(text.encode(packet), to);
    assert.deepEqual(await receive(opener, 3), ["one", "one", "two"]);
    assert.equal(opener.stats.opened, 3);
    assert.equal(opener.receivedBytes, 9);
  },
  [null],
);

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
