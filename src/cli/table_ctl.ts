/**
 * The verbs of `ctl` (product specification 1.5).
 *
 * @module
 */
import { ACCESS_PRESETS, type AccessPreset } from "../trust/access.ts";
import { command, group } from "./command.ts";
import type { AccessFlags, UnpairFlags } from "./commands/ctl_devices.ts";
import type { ApproveFlags, ArmFlags } from "./commands/ctl_pairing.ts";
import type { JsonFlag } from "./environment.ts";
import { wholeNumber } from "./numbers.ts";
import { argument, JSON_FLAG, optionalArgument, SWITCH, TEXT } from "./parameters.ts";

const SECONDS_MAX = 10 * 365 * 86_400;
const FINGERPRINT = argument("FP", "Fingerprint, as `ctl clients` lists it");

function seconds(brief: string, least = 1) {
  return {
    kind: "parsed",
    parse: wholeNumber({ least, most: SECONDS_MAX }),
    optional: true,
    placeholder: "S",
    brief,
  } as const;
}

const OFFER_FLAGS = {
  preset: {
    kind: "enum",
    values: ACCESS_PRESETS,
    optional: true,
    brief: "What the device may do, default full",
  },
  expiresIn: seconds("Seconds until its access ends, default never"),
} as const;

const PENDING_ID = {
  placeholder: "ID",
  brief: "Number, as `ctl pending` lists it",
  parse: wholeNumber({ least: 1, most: 999_999_999 }),
} as const;

const status = command<JsonFlag>({
  brief: "Show what streams and who is paired",
  examples: ["ctl status", "ctl status --json"],
  parameters: { flags: JSON_FLAG },
  load: async () => ({ run: (await import("./commands/ctl.ts")).runStatus }),
});

const pairStatus = command<JsonFlag>({
  brief: "Show the PIN that is valid now",
  examples: ["ctl pair status"],
  parameters: { flags: JSON_FLAG },
  load: async () => ({ run: (await import("./commands/ctl_pairing.ts")).runPairStatus }),
});

const pairArm = command<ArmFlags>({
  brief: "Show a new PIN for one device to pair with",
  examples: ["ctl pair arm", "ctl pair arm --ttl 300 --preset view --expires-in 7200"],
  parameters: {
    flags: {
      ...JSON_FLAG,
      ttl: seconds("Seconds the PIN is valid, 15 to 600, default 120"),
      ...OFFER_FLAGS,
      fingerprint: { ...TEXT, placeholder: "FP", brief: "Only this device may pair" },
    },
  },
  load: async () => ({ run: (await import("./commands/ctl_pairing.ts")).runPairArm }),
});

const pairDisarm = command<JsonFlag>({
  brief: "Take the PIN back",
  examples: ["ctl pair disarm"],
  parameters: { flags: JSON_FLAG },
  load: async () => ({ run: (await import("./commands/ctl_pairing.ts")).runPairDisarm }),
});

const pending = command<JsonFlag>({
  brief: "List the devices that wait for approval or, from Moonlight, for their PIN",
  examples: ["ctl pending"],
  parameters: { flags: JSON_FLAG },
  load: async () => ({ run: (await import("./commands/ctl_pairing.ts")).runPending }),
});

const approve = command<ApproveFlags, [number]>({
  brief: "Pair a device that waits for approval",
  examples: ["ctl approve 1", "ctl approve 1 --name Guest --preset controller --expires-in 7200"],
  parameters: {
    flags: {
      ...JSON_FLAG,
      name: { ...TEXT, placeholder: "NAME", brief: "Name to keep instead of the device's own" },
      ...OFFER_FLAGS,
    },
    positional: { kind: "tuple", parameters: [PENDING_ID] },
  },
  load: async () => ({ run: (await import("./commands/ctl_pairing.ts")).runApprove }),
});

const deny = command<JsonFlag, [number]>({
  brief: "Refuse a device that waits for approval, this once",
  examples: ["ctl deny 1"],
  parameters: {
    flags: JSON_FLAG,
    positional: { kind: "tuple", parameters: [PENDING_ID] },
  },
  load: async () => ({ run: (await import("./commands/ctl_pairing.ts")).runDeny }),
});

const pin = command<JsonFlag, [string, string?, string?, string?]>({
  brief: "Deliver the PIN that a Moonlight client shows",
  examples: ["ctl pin 1234", "ctl pin 1234 0123456789ABCDEF <fingerprint> 192.168.1.20"],
  parameters: {
    flags: JSON_FLAG,
    positional: {
      kind: "tuple",
      parameters: [
        argument("PIN", "Four digits"),
        optionalArgument("UNIQUEID", "Needed with the next two when several clients wait"),
        optionalArgument("FP", "Fingerprint of the client's certificate"),
        optionalArgument("PEER_IP", "Address the client pairs from"),
      ],
    },
  },
  load: async () => ({ run: (await import("./commands/ctl.ts")).runPin }),
});

const clients = command<JsonFlag>({
  brief: "List the paired clients",
  examples: ["ctl clients"],
  parameters: { flags: JSON_FLAG },
  load: async () => ({ run: (await import("./commands/ctl_devices.ts")).runClients }),
});

const rename = command<JsonFlag, [string, string]>({
  brief: "Change the name a client is shown under",
  examples: ['ctl rename <fingerprint> "Living room"'],
  parameters: {
    flags: JSON_FLAG,
    positional: { kind: "tuple", parameters: [FINGERPRINT, argument("NAME", "The new name")] },
  },
  load: async () => ({ run: (await import("./commands/ctl_devices.ts")).runRename }),
});

const access = command<AccessFlags, [string, AccessPreset]>({
  brief: "Change what a native device may do, also while it streams",
  examples: ["ctl access <fingerprint> view", "ctl access <fingerprint> full --clear-expiry"],
  parameters: {
    flags: {
      ...JSON_FLAG,
      expiresIn: seconds("Seconds until its access ends; 0 ends it now", 0),
      clearExpiry: { ...SWITCH, brief: "Let its access last" },
    },
    positional: {
      kind: "tuple",
      parameters: [
        FINGERPRINT,
        { placeholder: "PRESET", brief: ACCESS_PRESETS.join(", "), parse: parsePreset },
      ],
    },
  },
  load: async () => ({ run: (await import("./commands/ctl_devices.ts")).runAccess }),
});

function parsePreset(text: string): AccessPreset {
  const preset = ACCESS_PRESETS.find((one) => one === text);
  if (preset === undefined) throw new RangeError(`it must be one of ${ACCESS_PRESETS.join(", ")}`);
  return preset;
}

const unpair = command<UnpairFlags, [string?]>({
  brief: "Take a client's pairing away and end its stream",
  examples: ["ctl unpair <fingerprint>", "ctl unpair --all --yes"],
  parameters: {
    flags: {
      ...JSON_FLAG,
      all: { ...SWITCH, brief: "Every client" },
      yes: { ...SWITCH, brief: "Do not ask back" },
    },
    positional: {
      kind: "tuple",
      parameters: [optionalArgument("FP", "Fingerprint, as `ctl clients` lists it")],
    },
  },
  load: async () => ({ run: (await import("./commands/ctl_devices.ts")).runUnpair }),
});

const stopSession = command<JsonFlag>({
  brief: "End every stream",
  examples: ["ctl stop-session"],
  parameters: { flags: JSON_FLAG },
  load: async () => ({ run: (await import("./commands/ctl.ts")).runStopSession }),
});

const pair = group({
  brief: "Pair a native device with a PIN that this host shows",
  examples: ["ctl pair arm", "ctl pair status", "ctl pair disarm"],
  routes: { status: pairStatus, arm: pairArm, disarm: pairDisarm },
});

export const ctl = group({
  brief: "Control the host that runs on this machine",
  examples: ["ctl status", "ctl pair arm", "ctl pin 1234", "ctl unpair --all --yes"],
  routes: {
    status,
    pair,
    pending,
    approve,
    deny,
    pin,
    clients,
    rename,
    access,
    unpair,
    "stop-session": stopSession,
  },
});
