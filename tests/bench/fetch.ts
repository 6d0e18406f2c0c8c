/**
 * The native plane's receiver up to the opened packet: fetched from the socket and opened by one call for all of them,
 * beside one datagram at a time in TypeScript.
 *
 * @module
 */
import { UdpSocket } from "../../ffi/wire.ts";
import { SealedReceiver } from "../../ffi/wire_receive.ts";
import { FrameKernel, type WireSendMode } from "../../ffi/wire_frame.ts";
import { REPLAY_WINDOW_SIZE } from "../../src/protocol/punktfunk1/replay_window.ts";
import {
  DATAGRAM_SIZE_BYTES_MAX,
  VideoOpener,
} from "../../src/protocol/punktfunk1/video_opener.ts";
import { VideoPacketiser } from "../../src/protocol/punktfunk1/video_packetiser.ts";
import { hostSealRule, SealCounter } from "../../src/protocol/punktfunk1/video_seal.ts";
import { type BenchRow, type BenchVariant, formatRows, runBench } from "./bench.ts";

const SHARD_PAYLOAD_BYTES = 1408;
const PACKETS = 500;
const DATAGRAM_SIZE_BYTES = SHARD_PAYLOAD_BYTES + 64;
const SECRETS = {
  cipher: "aes-128-gcm",
  key: new Uint8Array(16).fill(1),
  salt: new Uint8Array(4).fill(2),
} as const;
const LOOPBACK = { address: "127.0.0.1", port: 0 };
const WAIT_MS = 1000;
const AT_ONCE = { burstBytesMax: 65536, burstPacketsMax: 64, rateBytesPerSecond: 0 };

/** Sends frames of PACKETS packets to a socket that one of the variants receives from. */
class Way implements AsyncDisposable {
  readonly #from = UdpSocket.open(LOOPBACK);
  readonly #kernel = new FrameKernel();
  readonly #au = new Uint8Array(PACKETS * SHARD_PAYLOAD_BYTES);
  readonly #packetiser = new VideoPacketiser({
    terms: { scheme: "gf65536", percent: 0, blockDataShardsMax: 4096 },
    shardPayloadBytes: SHARD_PAYLOAD_BYTES,
    shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
    frameBytesMax: 8 * 1024 * 1024,
    seal: { secrets: SECRETS, counter: new SealCounter() },
    wallOffsetNs: 0n,
  });
  readonly to = UdpSocket.open(LOOPBACK);

  send(mode: WireSendMode): void {
    const sizeBytes = this.#au.byteLength;
    const job = this.#packetiser.plan({ sizeBytes, kind: "p", capturedAtUs: 0, nowUs: 0 });
    this.#kernel.setSendMode(mode);
    this.#kernel.send(job, this.#au, {
      socket: this.#from.handle,
      destination: { ...LOOPBACK, port: this.to.port },
      pacing: AT_ONCE,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kernel.close();
    await this.#from.close();
    await this.to.close();
  }
}

function nativeVariant(
  stack: AsyncDisposableStack,
  { name, mode }: { readonly name: string; readonly mode: WireSendMode },
): BenchVariant {
  const way = stack.use(new Way());
  const receiver = stack.use(
    new SealedReceiver({
      socket: way.to.handle,
      seal: hostSealRule(SECRETS),
      datagramSizeBytesMax: DATAGRAM_SIZE_BYTES_MAX,
      replayWindowSize: REPLAY_WINDOW_SIZE,
    }),
  );
  return {
    name,
    setUp: () => way.send(mode),
    run: async () => {
      for (let count = 0; count < PACKETS;) {
        const batch = await receiver.receive(WAIT_MS);
        if (batch === null) throw new Error("Cannot measure: packets were lost");
        for (let index = 0; index < batch.count; index++) touch(batch.packet(index));
        count += batch.count;
      }
    },
  };
}

function portableVariant(stack: AsyncDisposableStack): BenchVariant {
  const way = stack.use(new Way());
  const opener = new VideoOpener(SECRETS);
  return {
    name: "UdpSocket and VideoOpener",
    setUp: () => way.send("gso"),
    run: async () => {
      for (let count = 0; count < PACKETS; count++) {
        const datagram = await way.to.receive(WAIT_MS);
        if (datagram === null) throw new Error("Cannot measure: packets were lost");
        touch(opener.open(datagram.bytes));
      }
    },
  };
}

/** What any consumer does at least. */
function touch(packet: Uint8Array | undefined): void {
  if (packet?.[0] === undefined) throw new Error("Cannot measure: a packet was not opened");
}

export async function benchFetch(): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  return await runBench(
    `Fetch and open ${PACKETS} packets of ${DATAGRAM_SIZE_BYTES} bytes`,
    [
      nativeVariant(stack, { name: "SealedReceiver, joined on the way", mode: "gso" }),
      nativeVariant(stack, { name: "SealedReceiver, one by one", mode: "batch" }),
      portableVariant(stack),
    ],
    { rounds: 40, bytes: PACKETS * DATAGRAM_SIZE_BYTES, packets: PACKETS },
  );
}

if (import.meta.main) console.log(formatRows(await benchFetch()));
