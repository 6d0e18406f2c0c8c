/**
 * What arrives on the media ports: pings at the host's, and, so that the test client can be trusted, media at the client's.
 *
 * @module
 */
import { decodePing, encodePing, PingTracker } from "../../../src/protocol/gamestream/ping.ts";
import { AudioAssembler } from "../../client/audio_assembler.ts";
import { VideoAssembler } from "../../client/video_assembler.ts";
import audio from "../../vectors/gamestream-audio.json" with { type: "json" };
import video from "../../vectors/gamestream-video.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

const PAYLOAD = "8f3c0a1b5d7e9240";
const PINGS = [
  encodePing(new TextEncoder().encode(PAYLOAD), 1),
  new TextEncoder().encode("PING"),
];
const SOURCE = { address: "192.0.2.7", port: 50_000 };
const VIDEO = video.packetiser.frames.flatMap(({ datagrams }) =>
  datagrams.map((hex) => Uint8Array.fromHex(hex))
);
const AUDIO = [...audio.plain.data, ...audio.plain.fec].map(({ datagram }) =>
  Uint8Array.fromHex(datagram)
);

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "video-ping",
    seeds: PINGS,
    run: (bytes) => void decodePing(bytes),
  },
  {
    name: "video-ping-tracker",
    seeds: PINGS,
    run(bytes) {
      new PingTracker({ kind: "payload", payload: PAYLOAD }).accept(bytes, SOURCE);
      new PingTracker({ kind: "address", address: SOURCE.address }).accept(bytes, SOURCE);
    },
  },
  {
    name: "client-video",
    seeds: VIDEO,
    run(bytes) {
      const assembler = new VideoAssembler({
        packetSizeBytes: video.packetiser.packetSize,
        key: null,
        codec: "h264",
        onFrame: () => {},
        onLost: () => {},
      });
      // In the middle of what a host sends, whatever comes has something to disturb.
      for (const datagram of [...VIDEO.slice(0, 2), bytes, ...VIDEO.slice(2)]) {
        assembler.accept(datagram);
      }
    },
  },
  {
    name: "client-audio",
    seeds: AUDIO,
    run(bytes) {
      const assembler = new AudioAssembler({
        packetDurationMs: 5,
        key: null,
        rikeyId: 0,
        onPacket: () => {},
      });
      for (const datagram of [...AUDIO.slice(0, 2), bytes, ...AUDIO.slice(2)]) {
        assembler.accept(datagram);
      }
    },
  },
];
