/**
 * Both ends of a connection for tests of the client: the client's as `dial` gives it, the host's with its control stream.
 *
 * @module
 */
import assert from "node:assert/strict";
import { FakeClock } from "../../../src/lib/clock.ts";
import { ControlStream } from "../../../src/planes/native/control_stream.ts";
import type { Dialed } from "../../../src/probe/dial.ts";
import { connectFakes } from "../../support/fake_quic.ts";

export const HOST_FINGERPRINT = new Uint8Array(32).fill(0x22);

export async function dialFakes(clock = new FakeClock()) {
  const { client, host } = connectFakes();
  const [mine, theirs] = await Promise.all([client.openStream(), host.acceptStream()]);
  assert.ok(mine !== undefined && theirs !== undefined);
  const dialed: Dialed = {
    connection: client,
    control: new ControlStream(mine, clock),
    hostFingerprint: HOST_FINGERPRINT,
    clock,
  };
  const control = new ControlStream(theirs, clock);
  return { clock, dialed, host, control, endStream: () => void theirs.finish() };
}
