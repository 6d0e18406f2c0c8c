/**
 * What the HTTPS endpoints `/launch`, `/resume` and `/cancel` ask of the plane. The desk owns the application's and the
 * stream's state (specification 0.4); the HTTP server only translates.
 *
 * @module
 */
import type { LaunchParameters } from "../../protocol/gamestream/launch.ts";

/** Who asks, as the TLS connection proved it. */
export interface LaunchOrigin {
  /** SHA-256 of the client certificate's DER, lower-case hex. */
  readonly fingerprint: string;
  /** Name given at pairing, or "". */
  readonly name: string;
  /** Addresses of the connection, IPv4-mapped ones as plain IPv4. */
  readonly localAddress: string;
  readonly remoteAddress: string;
}

export type LaunchAnswer =
  | { readonly kind: "accepted"; readonly sessionUrl: string }
  | { readonly kind: "refused"; readonly statusCode: number; readonly message: string };

export interface LaunchDesk {
  /** Id of the running application, 0 when there is none. */
  readonly runningAppId: number;
  /** HTTP 2.8: something running refuses with 400. */
  launch(parameters: LaunchParameters, origin: LaunchOrigin): Promise<LaunchAnswer>;
  /** HTTP 2.8: nothing running refuses with 503. Ends the same client's older stream first. */
  resume(parameters: LaunchParameters, origin: LaunchOrigin): Promise<LaunchAnswer>;
  /** HTTP 2.9: after it resolves `runningAppId` is 0. */
  cancel(origin: LaunchOrigin): Promise<void>;
}
