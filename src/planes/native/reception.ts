/**
 * One connection from its handshake to the end of what it came for (native specification 9).
 *
 *     connected ─first message→ PairRequest → ceremony → closed
 *                             → Hello → who is it? → parked, perhaps → slot → session → closed
 *
 * Every way out closes the connection with the code the specification gives it, and holds no slot any more.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { toHex } from "../../lib/bytes.ts";
import { describeError, OperationError, ProtocolError } from "../../lib/errors.ts";
import { CLOSE_CODES, type CloseReason } from "../../protocol/punktfunk1/close_codes.ts";
import { AUTH_NONCE_SIZE_BYTES, verifyDeviceAuth } from "../../protocol/punktfunk1/device_auth.ts";
import { decodeFirstMessage } from "../../protocol/punktfunk1/first_message.ts";
import { ABI_VERSION, type Hello } from "../../protocol/punktfunk1/hello.ts";
import type { DeviceKind } from "../../protocol/punktfunk1/pairing_ceremony.ts";
import { decodePairing, encodePairing } from "../../protocol/punktfunk1/pairing_messages.ts";
import type { QuicConnection } from "../../quic/ports.ts";
import { secondsLeft } from "../../trust/access.ts";
import { decideAdmission } from "../../trust/admission.ts";
import type { NativeClient } from "../../trust/native_clients.ts";
import { type PeerSource, peerSourceOf } from "../../trust/peer_source.ts";
import { ControlStream } from "./control_stream.ts";
import type { NativeEnvironment } from "./environment.ts";
import { isLaunchPermitted } from "./negotiation.ts";
import { exchangePairing } from "./pairing_exchange.ts";
import type { AdmittedClient } from "./stream.ts";

const STREAM_DEADLINE_MS = 10_000;
const MESSAGE_DEADLINE_MS = 10_000;

export interface ReceptionOptions {
  readonly environment: NativeEnvironment;
  /** Whether the listener asked for a certificate. Where it cannot, devices prove themselves by their key. */
  readonly asksForClientCertificate: boolean;
  /** Serve an admitted client until its session is over; gives what it is told. */
  readonly serve: (client: AdmittedClient) => Promise<Farewell>;
}

export interface Farewell {
  readonly close: CloseReason;
  readonly reason: string;
}

interface Device {
  readonly fingerprint: string;
  readonly kind: DeviceKind;
}

/** Receive `connection`, and leave it closed. Never throws for what a peer does. */
export async function receive(
  connection: QuicConnection,
  options: ReceptionOptions,
): Promise<void> {
  const { logger } = options.environment;
  let farewell: Farewell | undefined;
  try {
    farewell = await new Reception(connection, options).run();
  } catch (error) {
    const isPeers = error instanceof ProtocolError ||
      (error instanceof OperationError && error.code === "unreachable");
    if (isPeers) logger.info("native.rejected", { reason: describeError(error) });
    else logger.error("native.failed", { reason: describeError(error) });
    farewell = { close: "setup-failed", reason: isPeers ? describeError(error) : "" };
  }
  connection.close(CLOSE_CODES[farewell?.close ?? "done"], farewell?.reason ?? "");
}

class Reception {
  readonly #connection: QuicConnection;
  readonly #options: ReceptionOptions;
  readonly #environment: NativeEnvironment;

  constructor(connection: QuicConnection, options: ReceptionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#environment = options.environment;
  }

  /** Undefined when the connection was closed on the way, or its peer only looked whether anybody is there. */
  async run(): Promise<Farewell | undefined> {
    const control = await this.#openControl();
    const payload = await control?.next(MESSAGE_DEADLINE_MS);
    if (control === undefined || payload === undefined) return undefined;
    const message = decodeFirstMessage(payload);
    if (message.kind === "hello") return await this.#admit(message, control);
    // A device could pair by a key here that it is never asked to prove later: where certificates are asked for, they count.
    const { asksForClientCertificate } = this.#options;
    const request = asksForClientCertificate ? { ...message, deviceKey: undefined } : message;
    await exchangePairing(request, {
      connection: this.#connection,
      control,
      certificateFingerprint: this.#certificateFingerprint(),
      source: this.#source(),
    }, this.#environment);
    return undefined;
  }

  async #openControl(): Promise<ControlStream | undefined> {
    const { clock } = this.#environment;
    const late = Promise.withResolvers<undefined>();
    const timer = clock.after(STREAM_DEADLINE_MS, () => late.resolve(undefined));
    const stream = await Promise.race([this.#connection.acceptStream(), late.promise]);
    timer.cancel();
    return stream && new ControlStream(stream, clock);
  }

  async #admit(hello: Hello, control: ControlStream): Promise<Farewell | undefined> {
    if (hello.abiVersion !== ABI_VERSION) {
      return { close: "wire-version", reason: `This host speaks version ${ABI_VERSION}` };
    }
    const device = await this.#identify(control);
    const { policy, trust, clock } = this.#environment;
    const admission = decideAdmission({
      policy,
      fingerprint: device?.fingerprint,
      clients: trust.clients,
      nowMs: clock.wallMs(),
    });
    if (admission.kind === "refused") return { close: admission.reason, reason: "" };
    if (admission.kind === "session") {
      const { client: known, grants } = admission;
      return await this.#serve({ hello, control, device, known, grants });
    }
    return device && await this.#park({ hello, control, device });
  }

  /** Wait for an operator with the connection open and nothing sent. */
  async #park({ hello, control, device }: {
    readonly hello: Hello;
    readonly control: ControlStream;
    readonly device: Device;
  }): Promise<Farewell | undefined> {
    const { trust, logger } = this.#environment;
    const { remote, closed } = this.#connection;
    const { fingerprint } = device;
    const knock = trust.approvals.knock({
      ...device,
      name: hello.name ?? "",
      address: remote.address,
      source: this.#source(),
    });
    void closed.then(() => knock.leave());
    logger.info("native.parked", { fingerprint });
    const decision = await knock.decision;
    if (decision.kind === "gone") return undefined;
    if (decision.kind === "refused") return { close: decision.reason, reason: decision.reason };
    const { client: known } = decision;
    return await this.#serve({ hello, control, device, known, grants: known.grants });
  }

  async #serve({ hello, control, device, known, grants }: {
    readonly hello: Hello;
    readonly control: ControlStream;
    readonly device: Device | undefined;
    readonly known: NativeClient | undefined;
    readonly grants: number;
  }): Promise<Farewell> {
    if (!isLaunchPermitted(hello, grants)) {
      return { close: "launch-not-permitted", reason: "This device may not start games" };
    }
    return await this.#options.serve({
      connection: this.#connection,
      control,
      hello,
      fingerprint: device?.fingerprint,
      isKnown: known !== undefined,
      access: {
        grants,
        secondsLeft: known && secondsLeft(known, this.#environment.clock.wallMs()),
      },
    });
  }

  /** Who the peer has proved to be. Throws ProtocolError when it tries and fails. */
  async #identify(control: ControlStream): Promise<Device | undefined> {
    const certificate = this.#certificateFingerprint();
    if (certificate !== undefined) return { fingerprint: toHex(certificate), kind: "certificate" };
    const { environment, asksForClientCertificate } = this.#options;
    if (asksForClientCertificate || environment.policy === "open") return undefined;
    const nonce = environment.randomBytes(AUTH_NONCE_SIZE_BYTES);
    control.send(encodePairing({ kind: "auth-challenge", nonce }));
    const payload = await control.next(MESSAGE_DEADLINE_MS);
    const response = payload === undefined ? undefined : decodePairing(payload);
    if (response?.kind !== "auth-response") return undefined;
    const key = verifyDeviceAuth(response, {
      certificateHash: sha256(environment.identity.certificateDer),
      nonce,
    });
    return { fingerprint: toHex(key.fingerprint), kind: "device-key" };
  }

  #certificateFingerprint(): Uint8Array | undefined {
    const der = this.#connection.peerCertificateDer;
    return der && sha256(der);
  }

  #source(): PeerSource {
    const { remote, localAddress } = this.#connection;
    const interfaces = this.#environment.interfaces();
    return peerSourceOf(remote.address, { localAddress, interfaces });
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
