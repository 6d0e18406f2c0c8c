/**
 * `ctl clients`, `rename`, `access` and `unpair`: devices that are paired, on both planes (product specification 1.5).
 *
 * @module
 */
import type { ChangeNativeClient, NativeClient } from "../../../api/native_schemas.ts";
import type { PairedClient } from "../../../api/schemas.ts";
import { OperationError } from "../../lib/errors.ts";
import { type AccessPreset, grantsOfPreset } from "../../trust/access.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";
import type { ManagementClient } from "../management_client.ts";
import { table, withHost } from "./ctl_host.ts";

export type UnpairFlags = JsonFlag & { readonly all?: boolean; readonly yes?: boolean };

export type AccessFlags = JsonFlag & {
  /** Seconds; 0 ends it now. */
  readonly expiresIn?: number;
  readonly clearExpiry?: boolean;
};

const NATIVE_PATH = "/api/v1/native/clients";
const MOONLIGHT_PATH = "/api/v1/clients";

export const runClients: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    const clients = await readClients(host);
    const rows = [
      ...clients.native.map((one) => [
        one.name,
        "native",
        one.access_level,
        one.expires_unix === undefined ? "never" : describeTime(one.expires_unix),
        one.fingerprint,
      ]),
      ...clients.gamestream.map((
        one,
      ) => [one.label ?? "-", "moonlight", "-", "-", one.fingerprint]),
    ];
    const lines = rows.length === 0
      ? ["No client is paired"]
      : table(["NAME", "PLANE", "ACCESS", "EXPIRES", "FP"], rows);
    return { text: lines.join("\n"), data: clients };
  });

export const runRename: CommandRun<JsonFlag, [string, string]> = (
  environment,
  _flags,
  fingerprint,
  name,
) =>
  withHost(environment, async (host) => {
    for (const { path, nameField } of await findClient(host, fingerprint)) {
      await host.call("PATCH", path, { [nameField]: name });
    }
    return { text: "Renamed", data: { renamed: true } };
  });

export const runAccess: CommandRun<AccessFlags, [string, AccessPreset]> = (
  environment,
  { expiresIn, clearExpiry = false },
  fingerprint,
  preset,
) => {
  if (expiresIn !== undefined && clearExpiry) {
    throw new OperationError(
      "usage",
      "Cannot change access: --expires-in and --clear-expiry exclude each other",
    );
  }
  return withHost(environment, async (host) => {
    const change: ChangeNativeClient = {
      grants: grantsOfPreset(preset),
      ...(expiresIn === undefined ? {} : { expires_in_secs: expiresIn }),
      ...(clearExpiry ? { clear_expiry: true } : {}),
    };
    const path = `${NATIVE_PATH}/${encodeURIComponent(fingerprint)}`;
    const client = await host.call("PATCH", path, change) as NativeClient;
    const until = client.expires_unix === undefined
      ? ""
      : ` until ${describeTime(client.expires_unix)}`;
    return { text: `Access: ${client.access_level}${until}`, data: client };
  });
};

export const runUnpair: CommandRun<UnpairFlags, [string?]> = (
  environment,
  { all = false, yes = false },
  fingerprint,
) => {
  if (all === (fingerprint !== undefined)) {
    throw new OperationError("usage", "Cannot unpair: give either FP or --all");
  }
  if (all && !yes) {
    throw new OperationError("usage", "Cannot unpair every client: --all needs --yes as well");
  }
  return withHost(environment, async (host) => {
    let unpaired = 0;
    if (fingerprint === undefined) {
      for (const path of [NATIVE_PATH, MOONLIGHT_PATH]) {
        unpaired += (await host.call("DELETE", path) as { unpaired: number }).unpaired;
      }
    } else {
      for (const { path } of await findClient(host, fingerprint)) {
        await host.call("DELETE", path);
        unpaired++;
      }
    }
    return { text: `Unpaired ${unpaired}`, data: { unpaired } };
  });
};

interface Clients {
  readonly native: readonly NativeClient[];
  readonly gamestream: readonly PairedClient[];
}

async function readClients(host: ManagementClient): Promise<Clients> {
  return {
    native: await host.call("GET", NATIVE_PATH) as NativeClient[],
    gamestream: await host.call("GET", MOONLIGHT_PATH) as PairedClient[],
  };
}

/** Where the client is, on one plane or both. Throws OperationError "not-found". */
async function findClient(
  host: ManagementClient,
  fingerprint: string,
): Promise<{ readonly path: string; readonly nameField: "name" | "label" }[]> {
  const wanted = fingerprint.toLowerCase();
  const { native, gamestream } = await readClients(host);
  const has = (clients: readonly { readonly fingerprint: string }[]) =>
    clients.some((one) => one.fingerprint === wanted);
  const found = [
    ...(has(native) ? [{ path: `${NATIVE_PATH}/${wanted}`, nameField: "name" as const }] : []),
    ...(has(gamestream)
      ? [{ path: `${MOONLIGHT_PATH}/${wanted}`, nameField: "label" as const }]
      : []),
  ];
  if (found.length > 0) return found;
  throw new OperationError("not-found", "Cannot find the client: no such fingerprint is paired", {
    remedy: "`punktfunk-host ctl clients` lists them",
  });
}

/** Minutes, UTC. */
function describeTime(unix: number): string {
  return `${new Date(unix * 1000).toISOString().slice(0, 16).replace("T", " ")}Z`;
}
