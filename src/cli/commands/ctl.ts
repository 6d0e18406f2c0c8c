/**
 * `ctl`: each verb is one or two calls of the management API (product specification 1.5).
 *
 * @module
 */
import type { PairedClient, PairStatus, RuntimeStatus } from "../../../api/schemas.ts";
import { OperationError } from "../../lib/errors.ts";
import { scrubText } from "../../log/scrub.ts";
import type { CliEnvironment, CommandRun, JsonFlag } from "../environment.ts";
import {
  type ManagementClient,
  openManagementClient,
  readManagementAccess,
} from "../management_client.ts";

export type UnpairFlags = JsonFlag & { readonly all?: boolean; readonly yes?: boolean };

async function withHost<T>(
  environment: CliEnvironment,
  use: (host: ManagementClient) => Promise<T>,
): Promise<T> {
  const access = await readManagementAccess(environment.directories().config);
  using host = await openManagementClient(access);
  return await use(host);
}

export const runStatus: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    const status = await host.call("GET", "/api/v1/status") as RuntimeStatus;
    const sessions = status.sessions.map((session) => [
      session.client_name ?? session.client,
      session.plane,
      session.mode,
      `${session.uptime_s} s`,
    ]);
    const lines = [
      `Streaming: video ${onOff(status.video_streaming)}, audio ${onOff(status.audio_streaming)}`,
      ...(status.stream === undefined ? [] : [
        `Stream: ${status.stream.width}x${status.stream.height}@${status.stream.fps} ` +
        `${status.stream.codec} ${status.stream.bitrate_kbps} kbit/s`,
      ]),
      `Paired clients: ${status.paired_clients}`,
      `Waiting for a PIN: ${status.pin_pending ? "yes" : "no"}`,
      ...table(["CLIENT", "PLANE", "MODE", "SINCE"], sessions),
    ];
    return { text: lines.join("\n"), data: status };
  });

export const runPending: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    const status = await host.call("GET", "/api/v1/pair") as PairStatus;
    const rows = status.pending.map((one) => [one.uniqueid, one.fingerprint, one.peer_ip]);
    const lines = rows.length === 0
      ? ["No client waits for a PIN"]
      : table(["UNIQUEID", "FP", "PEER_IP"], rows);
    return { text: lines.join("\n"), data: status };
  });

export const runPin: CommandRun<JsonFlag, [string, string?, string?, string?]> = (
  environment,
  _flags,
  pin,
  uniqueid,
  fingerprint,
  peerIp,
) => {
  if (!/^[0-9]{4}$/.test(pin)) {
    throw new OperationError("usage", "Cannot use the PIN: it must be four digits");
  }
  if (uniqueid !== undefined && (fingerprint === undefined || peerIp === undefined)) {
    throw new OperationError(
      "usage",
      "Cannot name one client: UNIQUEID, FP and PEER_IP go together",
    );
  }
  return withHost(environment, async (host) => {
    const address = uniqueid === undefined ? {} : { uniqueid, fingerprint, peer_ip: peerIp };
    await host.call("POST", "/api/v1/pair/pin", { pin, ...address });
    return { text: "PIN delivered", data: { delivered: true } };
  });
};

export const runClients: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    const clients = await host.call("GET", "/api/v1/clients") as PairedClient[];
    const lines = clients.length === 0 ? ["No client is paired"] : table(
      ["NAME", "FP"],
      clients.map(({ label, fingerprint }) => [label ?? "-", fingerprint]),
    );
    return { text: lines.join("\n"), data: clients };
  });

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
    if (fingerprint === undefined) {
      const { unpaired } = await host.call("DELETE", "/api/v1/clients") as { unpaired: number };
      return { text: `Unpaired ${unpaired}`, data: { unpaired } };
    }
    await host.call("DELETE", `/api/v1/clients/${encodeURIComponent(fingerprint)}`);
    return { text: "Unpaired 1", data: { unpaired: 1 } };
  });
};

export const runStopSession: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    await host.call("DELETE", "/api/v1/session");
    return { text: "Every stream has ended", data: { stopped: true } };
  });

function onOff(isOn: boolean): string {
  return isOn ? "on" : "off";
}

/** Rows under their heads, or nothing without rows. Names come from peers: they stay on their line. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const cells = [heads, ...rows].map((row) => row.map(scrubText));
  const widths = heads.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length))
  );
  return cells.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}
