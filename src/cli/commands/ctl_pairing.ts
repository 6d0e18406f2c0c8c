/**
 * `ctl pair`, `pending`, `approve` and `deny`: letting devices in (product specification 1.5).
 *
 * @module
 */
import type {
  ApproveDevice,
  ArmNativePairing,
  NativeClient,
  NativePairStatus,
  PendingDevice,
} from "../../../api/native_schemas.ts";
import type { PairStatus } from "../../../api/schemas.ts";
import { type AccessPreset, grantsOfPreset } from "../../trust/access.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";
import { table, withHost } from "./ctl_host.ts";

type OfferFlags = JsonFlag & {
  readonly preset?: AccessPreset;
  /** Seconds. */
  readonly expiresIn?: number;
};

export type ArmFlags = OfferFlags & { readonly ttl?: number; readonly fingerprint?: string };

export type ApproveFlags = OfferFlags & { readonly name?: string };

export const runPairStatus: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    const status = await host.call("GET", "/api/v1/native/pair") as NativePairStatus;
    return { text: describeWindow(status), data: status };
  });

export const runPairArm: CommandRun<ArmFlags> = (environment, flags) =>
  withHost(environment, async (host) => {
    const request: ArmNativePairing = {
      ...(flags.ttl === undefined ? {} : { ttl_secs: flags.ttl }),
      ...(flags.fingerprint === undefined ? {} : { fingerprint: flags.fingerprint }),
      ...offerOf(flags),
    };
    const status = await host.call("POST", "/api/v1/native/pair/arm", request) as NativePairStatus;
    return { text: describeWindow(status), data: status };
  });

export const runPairDisarm: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    await host.call("DELETE", "/api/v1/native/pair");
    return { text: "No PIN is valid any more", data: { armed: false } };
  });

export const runPending: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    const native = await host.call("GET", "/api/v1/native/pending") as PendingDevice[];
    const { pending } = await host.call("GET", "/api/v1/pair") as PairStatus;
    const devices = table(
      ["ID", "NAME", "FROM", "SINCE", "FP"],
      native.map((
        one,
      ) => [`${one.id}`, one.name, one.source, `${one.age_secs} s`, one.fingerprint]),
    );
    const moonlight = table(
      ["UNIQUEID", "FP", "PEER_IP"],
      pending.map((one) => [one.uniqueid, one.fingerprint, one.peer_ip]),
    );
    const lines = [
      ...(devices.length === 0 ? [] : ["Waiting for approval:", ...devices]),
      ...(moonlight.length === 0 ? [] : ["Moonlight clients waiting for their PIN:", ...moonlight]),
    ];
    return {
      text: lines.length === 0 ? "Nobody waits" : lines.join("\n"),
      data: { native, gamestream: pending },
    };
  });

export const runApprove: CommandRun<ApproveFlags, [number]> = (environment, flags, id) =>
  withHost(environment, async (host) => {
    const decision: ApproveDevice = {
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...offerOf(flags),
    };
    const path = `/api/v1/native/pending/${id}/approve`;
    const client = await host.call("POST", path, decision) as NativeClient;
    return { text: `Paired ${client.fingerprint}`, data: client };
  });

export const runDeny: CommandRun<JsonFlag, [number]> = (environment, _flags, id) =>
  withHost(environment, async (host) => {
    await host.call("POST", `/api/v1/native/pending/${id}/deny`);
    return { text: "Refused; the device may ask again", data: { denied: true } };
  });

function offerOf({ preset, expiresIn }: OfferFlags) {
  return {
    ...(preset === undefined ? {} : { grants: grantsOfPreset(preset) }),
    ...(expiresIn === undefined ? {} : { expires_in_secs: expiresIn }),
  };
}

function describeWindow({ armed, pin, expires_in_secs, fingerprint }: NativePairStatus): string {
  if (!armed) return "No PIN is valid";
  const until = expires_in_secs === undefined ? "until it is used" : `for ${expires_in_secs} s`;
  const whom = fingerprint === undefined ? "" : `, and for ${fingerprint} alone`;
  return `PIN: ${pin}\nValid ${until}, for one try${whom}`;
}
