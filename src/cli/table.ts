/**
 * Every command of the program, its flags and how it is used. Help, completions and the scanner are made from this.
 *
 * @module
 */
import type { RouteMap } from "@stricli/core";
import { type CliContext, command, group } from "./command.ts";
import { decimalNumber, wholeNumber } from "./numbers.ts";
import type { DoctorFlags } from "./commands/doctor.ts";
import type { InputTestFlags } from "./commands/input_test.ts";
import type { ServeFlags } from "./commands/serve.ts";
import type { Punktfunk1HostFlags } from "./commands/punktfunk1_host.ts";
import type { SpikeFlags } from "./commands/spike.ts";
import type { VersionFlags } from "./commands/version.ts";
import type { JsonFlag } from "./environment.ts";
import { argument, JSON_FLAG, SWITCH, TEXT } from "./parameters.ts";
import { parseContent, parseKeyframeAnswer } from "./stream_shape.ts";
import { ctl } from "./table_ctl.ts";
import { probe } from "./table_probe.ts";

const serve = command<ServeFlags>({
  brief: "Run the host: streaming planes and management API",
  examples: [
    "serve --gamestream",
    "serve --gamestream --source synthetic --no-mdns",
    "serve --mgmt-bind 127.0.0.1:47990",
  ],
  parameters: {
    flags: {
      gamestream: { ...SWITCH, brief: "Also serve Moonlight clients" },
      moonlight: { ...SWITCH, brief: "Another word for --gamestream" },
      gamestreamPort: {
        ...TEXT,
        placeholder: "BASE",
        brief: "HTTP port of GameStream, its others follow; default 47989",
      },
      native: { ...SWITCH, brief: "Accepted for older scripts, has no effect" },
      nativePort: { ...TEXT, placeholder: "N", brief: "QUIC port, default 9777" },
      dataPort: { ...TEXT, placeholder: "N", brief: "UDP port of native video, default any" },
      open: { ...SWITCH, brief: "Serve devices that are not paired" },
      mgmtBind: {
        ...TEXT,
        placeholder: "IP:PORT",
        brief: "Address of the management API, default 0.0.0.0:47990",
      },
      noMdns: { ...SWITCH, brief: "Do not announce this host on the network" },
      source: {
        ...TEXT,
        placeholder: "SOURCE",
        brief: "auto, synthetic (a test picture) or wlroots; default auto",
      },
    },
  },
  load: () => import("./commands/serve.ts"),
});

const punktfunk1Host = command<Punktfunk1HostFlags>({
  brief: "Run the native plane alone, for tests and measurement",
  examples: [
    "punktfunk1-host --frames 300 --max-sessions 1",
    "punktfunk1-host --source virtual --seconds 60 --allow-tofu",
  ],
  parameters: {
    flags: {
      port: {
        kind: "parsed",
        parse: wholeNumber({ most: 65_535 }),
        optional: true,
        brief: "QUIC port, default 9777; 0 for any",
      },
      source: {
        kind: "enum",
        values: ["synthetic", "synthetic-abr", "virtual"],
        optional: true,
        brief:
          "Checked bytes, the same following the bitrate, or a real display; default synthetic",
      },
      frames: {
        kind: "parsed",
        parse: wholeNumber({ most: 4_294_967_295 }),
        optional: true,
        brief: "Length of a synthetic session, default 300; 0 for ever",
      },
      seconds: {
        kind: "parsed",
        parse: wholeNumber({ most: 86_400 }),
        optional: true,
        brief: "Length of the other sessions, default 30; 0 for ever",
      },
      maxSessions: {
        kind: "parsed",
        parse: wholeNumber({ most: 1_000_000 }),
        optional: true,
        brief: "Exit after this many, default 0 for never",
      },
      maxConcurrent: {
        kind: "parsed",
        parse: wholeNumber({ most: 64 }),
        optional: true,
        brief: "Sessions at once, others wait; default 4, 0 for no limit",
      },
      allowTofu: { ...SWITCH, brief: "Also admit devices that are not paired" },
      requirePairing: { ...SWITCH, brief: "Accepted for older scripts, has no effect" },
      allowPairing: { ...SWITCH, brief: "Accepted for older scripts, has no effect" },
      pairingPin: { ...TEXT, placeholder: "PIN", brief: "PIN to pair with; four random digits" },
      idleTimeoutMs: {
        kind: "parsed",
        parse: wholeNumber({ least: 1_000, most: 3_600_000 }),
        optional: true,
        brief: "When a silent client counts as gone, default 8000",
      },
      dataPort: {
        kind: "parsed",
        parse: wholeNumber({ most: 65_535 }),
        optional: true,
        brief: "UDP port of video, default 0 for any",
      },
      noMdns: { ...SWITCH, brief: "Do not announce this host on the network" },
      idrPct: {
        kind: "parsed",
        parse: wholeNumber({ least: 1, most: 10_000 }),
        optional: true,
        brief: "Size of key frames in percent; 100, of synthetic-abr 1000",
      },
      content: {
        kind: "parsed",
        parse: parseContent,
        optional: true,
        placeholder: "SCRIPT",
        brief:
          "steady, idle-then-motion, frame-driven:FPS or motion-then-still:FPS; default steady",
      },
      fill: {
        kind: "parsed",
        parse: wholeNumber({ least: 1, most: 100 }),
        optional: true,
        brief: "How much of its rate synthetic-abr fills, in percent; default 100",
      },
      recoveryMs: {
        kind: "parsed",
        parse: wholeNumber({ most: 60_000 }),
        optional: true,
        brief:
          "How long synthetic-abr waits before it answers a request for a key frame; default 0",
      },
      keyframeAnswer: {
        kind: "parsed",
        parse: parseKeyframeAnswer,
        optional: true,
        placeholder: "ANSWER",
        brief: "idr, or wave:N for N units of intra refresh; default idr",
      },
      bringupMs: {
        kind: "parsed",
        parse: wholeNumber({ least: 1, most: 60_000 }),
        optional: true,
        brief: "How long video waits at most for a client that measures its link; default 2500",
      },
      noRamp: { ...SWITCH, brief: "Do not let clients measure their link before the first frame" },
      fecField: {
        kind: "enum",
        values: ["8", "16"],
        optional: true,
        brief: "Field of the parity code: GF(2^8) or GF(2^16), default 16",
      },
    },
  },
  load: () => import("./commands/punktfunk1_host.ts"),
});

const openapi = command<Record<never, never>>({
  brief: "Print the OpenAPI document of the management API",
  examples: ["openapi > api/openapi.json"],
  parameters: {},
  load: () => import("./commands/openapi.ts"),
});

const doctor = command<DoctorFlags>({
  brief: "Check this machine and say what to do about what is missing",
  examples: ["doctor", "doctor --gamestream", "doctor --json"],
  parameters: {
    flags: {
      ...JSON_FLAG,
      gamestream: { ...SWITCH, brief: "Check for `serve --gamestream`" },
    },
  },
  load: () => import("./commands/doctor.ts"),
});

const detectConflicts = command<JsonFlag>({
  brief: "List other game-streaming hosts on this machine; exit 1 when one runs or auto-starts",
  examples: ["detect-conflicts", "detect-conflicts --json"],
  parameters: { flags: JSON_FLAG },
  load: () => import("./commands/detect_conflicts.ts"),
});

const probeCompositor = command<JsonFlag>({
  brief: "Check whether a virtual display could be created now",
  examples: ["probe-compositor"],
  parameters: { flags: JSON_FLAG },
  load: () => import("./commands/probe_compositor.ts"),
});

const listMonitors = command<JsonFlag>({
  brief: "List the monitors of this desktop by connector",
  examples: ["list-monitors", "list-monitors --json"],
  parameters: { flags: JSON_FLAG },
  load: () => import("./commands/list_monitors.ts"),
});

const inputTest = command<InputTestFlags>({
  brief: "Draw with the pointer and type on a virtual display, without a client",
  examples: ["input-test", "input-test --wait 0 --seconds 2"],
  parameters: {
    flags: {
      ...JSON_FLAG,
      seconds: {
        kind: "parsed",
        parse: decimalNumber({ above: 0, most: 600 }),
        optional: true,
        brief: "How long to draw, default 8",
      },
      wait: {
        kind: "parsed",
        parse: decimalNumber({ least: 0, most: 600 }),
        optional: true,
        brief: "Seconds before it begins, default 4",
      },
    },
  },
  load: () => import("./commands/input_test.ts"),
});

const spike = command<SpikeFlags>({
  brief: "Capture and encode to a file, and send every frame through packets and repair",
  examples: [
    "spike --source synthetic --seconds 2 --out /tmp/test.h264",
    "spike --source synthetic --loss 5 --json",
  ],
  parameters: {
    flags: {
      ...JSON_FLAG,
      source: {
        kind: "enum",
        values: ["synthetic", "virtual"],
        optional: true,
        brief: "synthetic needs no desktop; virtual makes a display; default synthetic",
      },
      width: { ...pixels(), brief: "Default 1920" },
      height: { ...pixels(), brief: "Default 1080" },
      fps: {
        kind: "parsed",
        parse: decimalNumber({ least: 1, most: 1000 }),
        optional: true,
        brief: "Default 60",
      },
      seconds: {
        kind: "parsed",
        parse: decimalNumber({ above: 0, most: 3600 }),
        optional: true,
        brief: "Default 5",
      },
      codec: { kind: "enum", values: ["h264"], optional: true, brief: "Default h264" },
      bitrate: {
        kind: "parsed",
        parse: decimalNumber({ least: 0.5, most: 8000 }),
        optional: true,
        placeholder: "MBPS",
        brief: "Default 20",
      },
      out: {
        ...TEXT,
        placeholder: "PATH",
        brief: "Where the stream goes, default punktfunk-spike.h264 in the temporary directory",
      },
      noLoopback: { ...SWITCH, brief: "Only encode" },
      wireChunk: {
        kind: "parsed",
        parse: wholeNumber({ least: 64, most: 1392 }),
        optional: true,
        placeholder: "BYTES",
        brief: "Size of a packet, default 1392",
      },
      loss: {
        kind: "parsed",
        parse: decimalNumber({ least: 0, most: 90 }),
        optional: true,
        placeholder: "PCT",
        brief: "Share of packets to drop before the repair, default 0",
      },
    },
  },
  load: () => import("./commands/spike.ts"),
});

function pixels() {
  return { kind: "parsed", parse: wholeNumber({ least: 64, most: 8192 }), optional: true } as const;
}

const completions = command<Record<never, never>, [string]>({
  brief: "Print a completion script for a shell",
  examples: [
    "completions bash > ~/.local/share/bash-completion/completions/punktfunk-host",
    "completions zsh > ~/.zfunc/_punktfunk-host",
    "completions fish > ~/.config/fish/completions/punktfunk-host.fish",
  ],
  parameters: {
    positional: { kind: "tuple", parameters: [argument("SHELL", "bash, zsh or fish")] },
  },
  load: async () => ({ run: (await import("./commands/completions.ts")).completionsOf(ROUTES) }),
});

const version = command<VersionFlags>({
  brief: "Print the version; with --verbose also commit, runtime and shims",
  examples: ["version", "version --verbose", "version --json"],
  parameters: {
    flags: {
      ...JSON_FLAG,
      verbose: { ...SWITCH, brief: "Everything that a report of a fault should say" },
    },
  },
  load: () => import("./commands/version.ts"),
});

const licenses = command<Record<never, never>>({
  brief: "Print the licences of what is inside the executable",
  examples: ["licenses"],
  parameters: {},
  load: () => import("./commands/licenses.ts"),
});

export const ROUTES: RouteMap<CliContext> = group({
  brief: "Stream this desktop to other devices",
  examples: ["serve --gamestream", "ctl pair arm", "ctl pin 1234", "help ctl pin", "--version"],
  routes: {
    "serve": serve,
    "punktfunk1-host": punktfunk1Host,
    "probe": probe,
    "ctl": ctl,
    "openapi": openapi,
    "doctor": doctor,
    "detect-conflicts": detectConflicts,
    "probe-compositor": probeCompositor,
    "list-monitors": listMonitors,
    "input-test": inputTest,
    "spike": spike,
    "completions": completions,
    "version": version,
    "licenses": licenses,
  },
});
