/**
 * Worker of `sustained.ts`: receives until it is told that nothing more comes, and compares every frame with the pattern.
 *
 *     → { port } at once;  "end" ←;  → ReceiverReport
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { UdpSocket } from "../../ffi/wire.ts";
import { BlockRebuilder } from "../../ffi/wire_rebuild.ts";
import { SealedReceiver } from "../../ffi/wire_receive.ts";
import { fillPattern } from "../../src/media/encoders/pattern.ts";
import { REPLAY_WINDOW_SIZE } from "../../src/protocol/punktfunk1/replay_window.ts";
import { DATAGRAM_SIZE_BYTES_MAX } from "../../src/protocol/punktfunk1/video_opener.ts";
import {
  type ReceivedVideoFrame,
  VideoReassembler,
} from "../../src/protocol/punktfunk1/video_reassembler.ts";
import { hostSealRule } from "../../src/protocol/punktfunk1/video_seal.ts";
import { CpuClock } from "./cpu_clock.ts";
import {
  FRAME_BYTES_MAX,
  type ReceiverReport,
  SECRETS,
  SHARD_PAYLOAD_BYTES,
  SOCKET_ADDRESS,
  TERMS,
} from "./sustained_plan.ts";

const WAIT_MS = 200;

/** Compares frames with the pattern and keeps what the report says of them. */
class FrameCheck {
  readonly #clock: CpuClock;
  #expected = new Uint8Array(0);
  readonly latenciesUs: number[] = [];
  wrongFrames = 0;
  bytes = 0;

  constructor(clock: CpuClock) {
    this.#clock = clock;
  }

  take({ data, frameIndex, ptsNs }: ReceivedVideoFrame): void {
    this.latenciesUs.push(this.#clock.monotonicUs() - Number(ptsNs / 1000n));
    this.bytes += data.byteLength;
    if (this.#expected.byteLength !== data.byteLength) {
      this.#expected = new Uint8Array(data.byteLength);
    }
    fillPattern(this.#expected, frameIndex);
    if (Buffer.compare(this.#expected, data) !== 0) this.wrongFrames++;
  }
}

let hasEnded = false;

async function receive(): Promise<ReceiverReport> {
  using clock = new CpuClock();
  await using socket = UdpSocket.open({ address: SOCKET_ADDRESS, port: 0 });
  await using receiver = new SealedReceiver({
    socket: socket.handle,
    seal: hostSealRule(SECRETS),
    datagramSizeBytesMax: DATAGRAM_SIZE_BYTES_MAX,
    replayWindowSize: REPLAY_WINDOW_SIZE,
  });
  using rebuilder = new BlockRebuilder();
  const check = new FrameCheck(clock);
  const reassembler = new VideoReassembler({
    terms: TERMS,
    shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
    frameBytesMax: FRAME_BYTES_MAX,
    onFrame: (frame) => check.take(frame),
    onGap: () => {},
    decodeBlock: (block) => rebuilder.rebuild(block),
  });
  self.postMessage({ port: socket.port });
  let batches = 0;
  for (;;) {
    const batch = await receiver.receive(WAIT_MS);
    if (batch === null && hasEnded) break;
    if (batch === null) continue;
    batches++;
    for (let index = 0; index < batch.count; index++) {
      reassembler.accept(batch.packet(index), batch.arrivedAtUs(index));
    }
  }
  const { overflowed, forged, bufferBytes } = receiver.stats;
  const { wrongFrames, bytes, latenciesUs } = check;
  latenciesUs.sort((a, b) => a - b);
  const { stats: video } = reassembler;
  return { video, wrongFrames, bytes, latenciesUs, batches, overflowed, forged, bufferBytes };
}

self.onmessage = () => hasEnded = true;
self.postMessage(await receive());
self.close();
