/**
 * An ENet client and server with a bad network between them.
 *
 * @module
 */
import { FakeClock, type Timer } from "../../src/lib/clock.ts";
import { EnetClient } from "../../src/protocol/enet/client.ts";
import type { EnetPeer, PeerEvent } from "../../src/protocol/enet/peer.ts";
import { EnetServer } from "../../src/protocol/enet/server.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { LossyLink, type Weather } from "./lossy_link.ts";

const CONNECT_DATA = 0x1234abcd;
const CLIENT = { address: "192.0.2.1", port: 40_000 };

export interface ReceivedMessage {
  readonly channel: number;
  readonly bytes: Uint8Array;
  readonly isReliable: boolean;
}

/** What one side saw. */
export class EnetLog {
  readonly messages: ReceivedMessage[] = [];
  connectedCount = 0;
  readonly disconnects: string[] = [];

  take(events: readonly PeerEvent[]): void {
    for (const event of events) {
      if (event.kind === "connected") this.connectedCount++;
      if (event.kind === "disconnected") this.disconnects.push(event.reason);
      if (event.kind === "message") {
        const { channel, bytes, isReliable } = event;
        this.messages.push({ channel, bytes: bytes.slice(), isReliable });
      }
    }
  }

  /** Messages of one channel, in order of arrival. */
  onChannel(channel: number): Uint8Array[] {
    return this.messages.filter((message) => message.channel === channel)
      .map((message) => message.bytes);
  }
}

export class EnetNetwork {
  readonly clock = new FakeClock();
  readonly client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
  readonly server: EnetServer<true>;
  readonly atClient = new EnetLog();
  readonly atServer = new EnetLog();
  readonly toServer: LossyLink;
  readonly toClient: LossyLink;
  #clientTimer: Timer | undefined;
  #serverTimer: Timer | undefined;

  constructor(seed: number, weather: Weather) {
    const random = new SeededRandom(seed);
    const { clock } = this;
    this.server = new EnetServer({
      admit: (data) => data === CONNECT_DATA ? true : undefined,
      random: (bound) => random.below(bound),
    });
    this.toServer = new LossyLink({
      clock,
      random,
      weather,
      deliver: (bytes) => {
        this.atServer.take(this.server.receive({ ...CLIENT, bytes }, this.nowMs));
        this.pumpServer();
      },
    });
    this.toClient = new LossyLink({
      clock,
      random,
      weather,
      deliver: (bytes) => {
        this.atClient.take(this.client.receive(bytes, this.nowMs));
        this.pumpClient();
      },
    });
    this.pumpClient();
  }

  get nowMs(): number {
    return Math.floor(this.clock.monotonicUs() / 1000);
  }

  /** The client as the server sees it, while it is there. */
  get peer(): EnetPeer | undefined {
    return this.server.peers[0];
  }

  setWeather(weather: Weather): void {
    this.toClient.weather = weather;
    this.toServer.weather = weather;
  }

  /** Send what the client has to send. To be called after asking it for anything. */
  pumpClient(): void {
    const { datagrams, events } = this.client.tick(this.nowMs);
    for (const bytes of datagrams) this.toServer.send(bytes);
    this.atClient.take(events);
    this.#clientTimer?.cancel();
    this.#clientTimer = this.#tickLater(this.client.nextTickMs, () => this.pumpClient());
  }

  pumpServer(): void {
    const { datagrams, events } = this.server.tick(this.nowMs);
    for (const { bytes } of datagrams) this.toClient.send(bytes);
    this.atServer.take(events);
    this.#serverTimer?.cancel();
    this.#serverTimer = this.#tickLater(this.server.nextTickMs, () => this.pumpServer());
  }

  #tickLater(atMs: number | undefined, tick: () => void): Timer | undefined {
    if (atMs === undefined) return undefined;
    return this.clock.after(Math.max(atMs - this.nowMs, 1), tick);
  }
}
