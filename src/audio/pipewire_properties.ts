/**
 * How our nodes present themselves to PipeWire and its session manager.
 *
 * @module
 */
import type { PipewireProperties } from "../../ffi/pipewire.ts";
import type { AudioChannels } from "../media/ports.ts";

const POSITIONS = ["FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR"] as const;

/** A sink without a device behind it. It dies with our connection, because nothing asks it to linger. */
export function sinkProperties(name: string, channels: AudioChannels): PipewireProperties {
  return {
    "factory.name": "support.null-audio-sink",
    "media.class": "Audio/Sink",
    "node.name": name,
    "node.description": `punktfunk stream ${name.slice(name.lastIndexOf("-") + 1)}`,
    "node.virtual": true,
    "audio.rate": 48000,
    "audio.channels": channels,
    "audio.position": POSITIONS.slice(0, channels).join(","),
    // The desktop's volume slider moves this sink, and the person at the client expects it to be heard.
    "monitor.channel-volumes": true,
    "monitor.passthrough": true,
  };
}

/** Arguments of module-loopback: what `sinkName` plays is played by `speakersName` too, mixed to its channels. */
export function echoArguments(
  sinkName: string,
  options: { readonly speakersName: string; readonly channels: AudioChannels },
): PipewireProperties {
  return {
    "node.description": "punktfunk stream on this machine's speakers",
    "audio.position": POSITIONS.slice(0, options.channels),
    "capture.props": {
      "node.name": `${sinkName}.heard`,
      "stream.capture.sink": true,
      "target.object": sinkName,
      "node.dont-reconnect": true,
    },
    "playback.props": {
      "node.name": `${sinkName}.echo`,
      "target.object": options.speakersName,
      "node.dont-reconnect": true,
      // Six channels at full level would clip in two.
      "channelmix.normalize": true,
    },
  };
}

export function microphoneProperties(name: string): PipewireProperties {
  return {
    "media.type": "Audio",
    "media.class": "Audio/Source",
    "node.name": name,
    "node.description": "punktfunk microphone",
    "node.virtual": true,
    "node.latency": "256/48000",
  };
}
