/**
 * What arrives on a native client's video port: single packets amid a stream, and whole sequences of headers.
 *
 * @module
 */
import type { FecTerms } from "../../../src/protocol/punktfunk1/fec_plan.ts";
import { isPunch } from "../../../src/protocol/punktfunk1/punch.ts";
import {
  decodeVideoHeader,
  encodeVideoHeader,
  VIDEO_HEADER_SIZE_BYTES,
} from "../../../src/protocol/punktfunk1/video_header.ts";
import { VideoOpener } from "../../../src/protocol/punktfunk1/video_opener.ts";
import type { VideoPacketiserOptions } from "../../../src/protocol/punktfunk1/video_packetiser.ts";
import {
  FRAMES_IN_FLIGHT_BYTES_FACTOR,
  VideoReassembler,
} from "../../../src/protocol/punktfunk1/video_reassembler.ts";
import { SealCounter } from "../../../src/protocol/punktfunk1/video_seal.ts";
import { TestVideoStream } from "../../support/punktfunk1_video.ts";
import type { FuzzTarget } from "../target.ts";

const TERMS: FecTerms = { scheme: "gf256", percent: 50, blockDataShardsMax: 4 };
const FRAME_BYTES_MAX = 64 * 1024;
const SHARD_BYTES = 512;
const SECRETS = {
  cipher: "aes-128-gcm",
  key: new Uint8Array(16).fill(5),
  salt: new Uint8Array(4).fill(6),
} as const;

function recordPackets(changes: Partial<VideoPacketiserOptions> = {}): Uint8Array[] {
  const stream = new TestVideoStream({ terms: TERMS, frameBytesMax: FRAME_BYTES_MAX, ...changes });
  return [
    stream.next(3_000, { kind: "idr" }),
    stream.nextStreamed(2_500, { partSizes: [2_048, 452], isSliced: false }).flat(),
    stream.nextStreamed(2_000, { partSizes: [512, 1_024, 464], isSliced: true }).flat(),
    stream.next(900),
  ].flat();
}

const PACKETS = recordPackets();
const DATAGRAMS = recordPackets({ seal: { secrets: SECRETS, counter: new SealCounter() } });
const HEADERS = PACKETS.map((packet) => packet.slice(0, VIDEO_HEADER_SIZE_BYTES));
/** Headers of several packets in a row, as the sequence target reads them. */
const SEQUENCES = [PACKETS, PACKETS.slice(3).reverse(), PACKETS.filter((_, at) => at % 3 > 0)].map(
  (packets) =>
    new Uint8Array(packets.flatMap((packet) => [...packet.subarray(0, VIDEO_HEADER_SIZE_BYTES)])),
);

function openReassembler(): VideoReassembler {
  return new VideoReassembler({
    terms: TERMS,
    shardPayloadCeilingBytes: SHARD_BYTES,
    frameBytesMax: FRAME_BYTES_MAX,
    onFrame: () => {},
    onGap: () => {},
  });
}

function feed(reassembler: VideoReassembler, packet: Uint8Array): void {
  reassembler.accept(packet, 0);
  const bytes = reassembler.inFlightBytes;
  if (bytes < 0 || bytes > FRAMES_IN_FLIGHT_BYTES_FACTOR * FRAME_BYTES_MAX) {
    throw new RangeError(`Cannot hold ${bytes} bytes in flight`);
  }
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "punktfunk1-punch",
    seeds: [new TextEncoder().encode("PFpunch1")],
    run: (bytes) => void isPunch(bytes),
  },
  {
    name: "punktfunk1-video-header",
    seeds: HEADERS,
    run(bytes) {
      const header = decodeVideoHeader(bytes);
      const again = new Uint8Array(VIDEO_HEADER_SIZE_BYTES);
      encodeVideoHeader(header, new DataView(again.buffer));
      if (again.some((byte, at) => byte !== bytes[at])) {
        throw new RangeError("Cannot write the header that was read");
      }
    },
  },
  {
    name: "punktfunk1-video-opener",
    seeds: DATAGRAMS,
    run(bytes) {
      const opener = new VideoOpener(SECRETS);
      const reassembler = openReassembler();
      for (const datagram of [...DATAGRAMS.slice(0, 2), bytes, DATAGRAMS[2] ?? bytes]) {
        const packet = opener.open(datagram);
        if (packet !== undefined) feed(reassembler, packet);
      }
    },
  },
  {
    name: "punktfunk1-video-packet",
    seeds: PACKETS,
    run(bytes) {
      const reassembler = openReassembler();
      for (const packet of [...PACKETS.slice(0, 7), bytes, ...PACKETS.slice(7), bytes]) {
        feed(reassembler, packet);
      }
    },
  },
  {
    name: "punktfunk1-video-sequence",
    seeds: SEQUENCES,
    run(bytes) {
      const reassembler = openReassembler();
      const packet = new Uint8Array(VIDEO_HEADER_SIZE_BYTES + SHARD_BYTES);
      for (let at = 0; at < bytes.byteLength; at += VIDEO_HEADER_SIZE_BYTES) {
        packet.set(bytes.subarray(at, at + VIDEO_HEADER_SIZE_BYTES));
        feed(reassembler, packet);
      }
    },
  },
];
