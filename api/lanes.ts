/**
 * Who may call what (product specification 3.7). A route that is not in this table cannot be built, and a request that
 * reaches a handler not in this table is refused.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";

/** "public": anybody. "admin": the bearer of the management token, from this machine only. */
export type Lane = "public" | "admin";

/** Method and path as the specification writes them. */
export const LANES: Readonly<Record<string, Lane>> = {
  "GET /api/v1/health": "public",
  "GET /api/v1/openapi.json": "public",
  "GET /api/docs": "public",
  "GET /api/v1/host": "admin",
  "GET /api/v1/status": "admin",
  "GET /api/v1/compositors": "admin",
  "GET /api/v1/pair": "admin",
  "POST /api/v1/pair/pin": "admin",
  "GET /api/v1/clients": "admin",
  "DELETE /api/v1/clients": "admin",
  "PATCH /api/v1/clients/{fingerprint}": "admin",
  "DELETE /api/v1/clients/{fingerprint}": "admin",
  "GET /api/v1/native/pair": "admin",
  "POST /api/v1/native/pair/arm": "admin",
  "DELETE /api/v1/native/pair": "admin",
  "GET /api/v1/native/clients": "admin",
  "DELETE /api/v1/native/clients": "admin",
  "PATCH /api/v1/native/clients/{fingerprint}": "admin",
  "DELETE /api/v1/native/clients/{fingerprint}": "admin",
  "GET /api/v1/native/pending": "admin",
  "POST /api/v1/native/pending/{id}/approve": "admin",
  "POST /api/v1/native/pending/{id}/deny": "admin",
  "DELETE /api/v1/session": "admin",
  "POST /api/v1/session/idr": "admin",
  "DELETE /api/v1/session/{id}": "admin",
  "POST /api/v1/session/{id}/idr": "admin",
  "PUT /api/v1/session/{id}/audio": "admin",
  "PUT /api/v1/session/{id}/access": "admin",
  "GET /api/v1/logs": "admin",
};

/** Compares a bearer token with the right one in constant time, whatever their lengths. */
export class TokenCheck {
  readonly #digest: Uint8Array;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /** `header` is the value of Authorization, or undefined. */
  accepts(header: string | undefined): boolean {
    const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header ?? "");
    return timingSafeEqual(digestOf(match?.[1] ?? ""), this.#digest) && match !== null;
  }
}

function digestOf(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}
