/**
 * What strangers send to prove themselves on the native plane: shares of SPAKE2, device keys with signatures, and names.
 *
 * @module
 */
import { parseHex } from "../../../src/lib/bytes.ts";
import { decodeDeviceKey, verifyDeviceAuth } from "../../../src/protocol/punktfunk1/device_auth.ts";
import { decodeSpake2Message } from "../../../src/protocol/spake2.ts";
import { cleanDeviceName } from "../../../src/trust/device_name.ts";
import { isClientLabel } from "../../../src/trust/gamestream_clients.ts";
import vectors from "../../vectors/punktfunk1-pairing.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

const { deviceAuth } = vectors;
const DEVICE_KEY = hex(deviceAuth.deviceKey);
const BINDING = { certificateHash: hex(deviceAuth.certificateHash), nonce: hex(deviceAuth.nonce) };

function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new TypeError("no hexadecimal text");
  return bytes;
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "punktfunk1.spake2Message",
    seeds: vectors.spake2.map(({ messageA }) => hex(messageA)),
    run(bytes) {
      decodeSpake2Message(bytes, "A");
    },
  },
  {
    name: "punktfunk1.deviceKey",
    seeds: [DEVICE_KEY],
    run(bytes) {
      decodeDeviceKey(bytes);
    },
  },
  {
    name: "punktfunk1.deviceSignature",
    seeds: [hex(deviceAuth.signature)],
    run(signature) {
      verifyDeviceAuth({ deviceKey: DEVICE_KEY, signature }, BINDING);
    },
  },
  {
    name: "punktfunk1.deviceName",
    seeds: [new TextEncoder().encode("Living\u202e room\n\u0007 😀")],
    run(bytes) {
      const name = cleanDeviceName(new TextDecoder().decode(bytes), deviceAuth.fingerprint);
      if (!isClientLabel(name)) throw new Error("the name cannot be kept");
    },
  },
];
