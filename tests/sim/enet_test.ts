import assert from "node:assert/strict";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { EnetNetwork } from "./enet_network.ts";
import { CLEAR_WEATHER, type Weather } from "./lossy_link.ts";

/** A third of everything is lost, a tenth arrives twice, and everything overtakes everything. */
const STORM: Weather = {
  lossRatio: 0.3,
  duplicateRatio: 0.1,
  delayMsMin: 5,
  delayMsMax: 80,
};
const CUT: Weather = { ...CLEAR_WEATHER, lossRatio: 1 };
const CHANNELS = [0, 3, 0x10];

/** Message `index` of a channel: every tenth is so large that it goes in fragments. */
function messageOf(channel: number, index: number, random: SeededRandom): Uint8Array {
  const size = 4 + (index % 10 === 9 ? 2_000 + random.below(2_000) : random.below(100));
  const bytes = new Uint8Array(size).fill(channel ^ index);
  new DataView(bytes.buffer).setUint16(0, index);
  return bytes;
}

/** A network whose client is connected. */
function connected(seed: number, weather: Weather): EnetNetwork {
  const network = new EnetNetwork(seed, weather);
  for (let step = 0; step < 100 && network.atServer.connectedCount === 0; step++) {
    network.clock.advance(100);
  }
  assert.equal(network.atClient.connectedCount, 1);
  assert.equal(network.atServer.connectedCount, 1);
  return network;
}

for (const seed of [1, 2, 3, 4, 5]) {
  Deno.test(`EnetPeer delivers every reliable message once and in order through a storm, seed ${seed}`, () => {
    const network = connected(seed, STORM);
    const random = new SeededRandom(seed);
    const sent = new Map(CHANNELS.map((channel) => [channel, [] as Uint8Array[]]));
    for (let index = 0; index < 60; index++) {
      for (const channel of CHANNELS) {
        const bytes = messageOf(channel, index, random);
        sent.get(channel)?.push(bytes);
        const options = { channel, delivery: "reliable" } as const;
        assert.ok(network.client.send(bytes, options));
        assert.ok(network.peer?.send(bytes, options));
      }
      network.pumpClient();
      network.pumpServer();
      network.clock.advance(20);
    }
    network.clock.advance(20_000);
    for (const [channel, messages] of sent) {
      assert.deepEqual(network.atServer.onChannel(channel), messages);
      assert.deepEqual(network.atClient.onChannel(channel), messages);
    }
    assert.deepEqual([network.atServer.disconnects, network.atClient.disconnects], [[], []]);
    assert.deepEqual(network.peer?.bufferedBytes, { received: 0, toSend: 0 });
    assert.deepEqual(network.client.peer.bufferedBytes, { received: 0, toSend: 0 });
  });

  Deno.test(`EnetPeer delivers unreliable messages at most once and never backwards, seed ${seed}`, () => {
    const network = connected(seed, STORM);
    for (let index = 0; index < 200; index++) {
      const bytes = new Uint8Array([index >> 8, index & 0xff]);
      network.client.send(bytes, { channel: 0x20, delivery: "unreliable" });
      network.client.send(bytes, { channel: 0x21, delivery: "unsequenced" });
      if (index % 20 === 0) network.client.send(bytes, { channel: 0x20, delivery: "reliable" });
      network.pumpClient();
      network.clock.advance(4);
    }
    network.clock.advance(10_000);
    const numbers = (channel: number) =>
      network.atServer.onChannel(channel).map(([high = 0, low = 0]) => high << 8 | low);
    const ordered = numbers(0x20);
    assert.deepEqual(ordered, [...ordered].sort((a, b) => a - b));
    const reliable = network.atServer.messages.filter((message) =>
      message.channel === 0x20 && message.isReliable
    );
    assert.equal(reliable.length, 10);
    const unsequenced = numbers(0x21);
    assert.equal(new Set(unsequenced).size, unsequenced.length);
    // Two thirds get through; fewer would mean that something is dropped besides what the storm takes.
    assert.ok(unsequenced.length > 100, `${unsequenced.length} of 200`);
  });

  Deno.test(`EnetPeer.disconnect() by the host ends both sides in a storm, seed ${seed}`, () => {
    const network = connected(seed, STORM);
    network.peer?.disconnect();
    network.pumpServer();
    network.clock.advance(30_000);
    assert.deepEqual(network.atClient.disconnects, ["peer"]);
    assert.deepEqual(network.atServer.disconnects, ["local"]);
    assert.equal(network.clock.pendingTimers, 0);
  });
}

Deno.test("EnetPeer outlives a cable that is cut for eight seconds", () => {
  const network = connected(1, CLEAR_WEATHER);
  network.setWeather(CUT);
  const bytes = new Uint8Array([1, 2, 3]);
  network.peer?.send(bytes, { channel: 0, delivery: "reliable" });
  network.pumpServer();
  network.clock.advance(8_000);
  network.setWeather(CLEAR_WEATHER);
  network.clock.advance(5_000);
  assert.deepEqual(network.atClient.onChannel(0), [bytes]);
  assert.deepEqual([network.atServer.disconnects, network.atClient.disconnects], [[], []]);
});

Deno.test("EnetPeer gives up on both sides when the cable stays cut", () => {
  const network = connected(1, CLEAR_WEATHER);
  network.setWeather(CUT);
  network.clock.advance(11_000);
  assert.deepEqual(network.atServer.disconnects, ["timeout"]);
  assert.deepEqual(network.atClient.disconnects, ["timeout"]);
  assert.equal(network.clock.pendingTimers, 0);
});

Deno.test("EnetPeer is all but silent while nothing happens", () => {
  const network = connected(1, CLEAR_WEATHER);
  network.clock.advance(1_000);
  const before = network.toClient.sentCount;
  network.clock.advance(10_000);
  // A ping of each side every half second, and their acknowledgements.
  const perSecond = (network.toClient.sentCount - before) / 10;
  assert.ok(perSecond >= 2 && perSecond <= 4, `${perSecond} datagrams a second`);
});

Deno.test("EnetPeer repeats what is lost without flooding a cut cable", () => {
  const network = connected(1, CLEAR_WEATHER);
  network.setWeather(CUT);
  network.peer?.send(new Uint8Array(100), { channel: 0, delivery: "reliable" });
  network.pumpServer();
  const before = network.toClient.sentBytes;
  network.clock.advance(9_000);
  const perSecond = (network.toClient.sentBytes - before) / 9;
  assert.ok(perSecond < 10_000, `${perSecond} bytes a second`);
});
