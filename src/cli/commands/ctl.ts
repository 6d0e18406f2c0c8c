/**
 * `ctl`: what runs, and the PIN of a Moonlight client (product specification 1.5). Each verb is one or two calls of the
 * management API; the verbs about devices are in `ctl_pairing.ts` and `ctl_devices.ts`.
 *
 * @module
 */
import type { RuntimeStatus } from "../../../api/schemas.ts";
import { OperationError } from "../../lib/errors.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";
import { table, withHost } from "./ctl_host.ts";

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
      `Paired: ${status.native_paired_clients} native, ${status.paired_clients} Moonlight`,
      `Waiting for a PIN: ${status.pin_pending ? "yes" : "no"}`,
      ...table(["CLIENT", "PLANE", "MODE", "SINCE"], sessions),
    ];
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

export const runStopSession: CommandRun<JsonFlag> = (environment) =>
  withHost(environment, async (host) => {
    await host.call("DELETE", "/api/v1/session");
    return { text: "Every stream has ended", data: { stopped: true } };
  });

function onOff(isOn: boolean): string {
  return isOn ? "on" : "off";
}
