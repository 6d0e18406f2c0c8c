/**
 * What stands in front of every JSON body: its size, its type, its syntax (product specification 4.1).
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { concatBytes } from "../src/lib/bytes.ts";
import { ApiError } from "./errors.ts";

export const REQUEST_BODY_BYTES_MAX = 2 * 1024 * 1024;

/** Refuses larger bodies with 413, by their announced size or, where none is announced, while reading them. */
export const limitBody: MiddlewareHandler = async (context, next) => {
  const { raw } = context.req;
  const announced = raw.headers.get("content-length");
  if (announced !== null && Number(announced) > REQUEST_BODY_BYTES_MAX) throw tooLarge();
  if (announced === null && raw.body !== null) {
    const body = await readWithin(raw.body, REQUEST_BODY_BYTES_MAX);
    context.req.raw = new Request(raw.url, { method: raw.method, headers: raw.headers, body });
  }
  await next();
};

async function readWithin(
  body: ReadableStream<Uint8Array>,
  sizeBytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > sizeBytesMax) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // A caller that breaks off is no fault of the host.
    throw error instanceof ApiError ? error : new ApiError(400, "Cannot read the body");
  }
  return concatBytes(...chunks);
}

function tooLarge(): ApiError {
  return new ApiError(413, `Cannot accept the body: it exceeds ${REQUEST_BODY_BYTES_MAX} bytes`);
}

/** In front of every route with a JSON body: the validator itself would take a missing type for an empty body. */
export const requireJson: MiddlewareHandler = async (context, next) => {
  const type = context.req.header("content-type") ?? "";
  if (!/^application\/json\s*(;.*)?$/i.test(type)) {
    throw new ApiError(415, "Cannot accept the body: its content type must be application/json");
  }
  try {
    JSON.parse(await context.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiError(400, "Cannot accept the body: it is not JSON");
  }
  await next();
};
