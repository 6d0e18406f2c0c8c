/**
 * The one shape of every answer that is not a success: `{"error": "<sentence>"}` (product specification 4.1).
 *
 * @module
 */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { OperationError } from "../src/lib/errors.ts";
import type { Logger } from "../src/lib/logger.ts";

/** A refusal made by the API itself. `message` is shown to the caller. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: ContentfulStatusCode,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Turns what a handler threw into the answer. What nobody foresaw is logged and answered without details. */
export function answerError(error: unknown, context: Context, logger: Logger): Response {
  if (error instanceof ApiError) {
    return context.json({ error: error.message }, error.status, { ...error.headers });
  }
  if (error instanceof OperationError) {
    return context.json({ error: error.message }, error.httpStatus as ContentfulStatusCode);
  }
  if (error instanceof HTTPException && error.status < 500) {
    return context.json({ error: "Cannot read the request" }, error.status);
  }
  logger.error("api.failed", {
    method: context.req.method,
    path: context.req.path,
    error: error instanceof Error ? error.message : String(error),
  });
  return context.json({ error: "Cannot answer: the host failed; its log says why" }, 500);
}
