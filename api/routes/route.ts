/**
 * How a route is declared: its lane comes from the table, and with it what the document says about credentials.
 *
 * @module
 */
import { createRoute, type RouteConfig, z } from "@hono/zod-openapi";
import { LANES } from "../lanes.ts";
import { ErrorBody } from "../schemas.ts";

/** Declare a route. Throws when api/lanes.ts does not say who may call it. */
export function defineRoute<const Path extends string, const Config extends RouteConfig>(
  config: Config & { readonly path: Path },
) {
  const lane = LANES[`${config.method.toUpperCase()} ${config.path}`];
  if (lane === undefined) {
    throw new TypeError(`Cannot define ${config.method} ${config.path}: it has no lane`);
  }
  return createRoute(lane === "public" ? { ...config, security: [] } : config);
}

/** A success answer with a JSON body. */
export function jsonAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** Error answers for the given statuses. */
export function errorAnswers<const Status extends number>(
  descriptions: Readonly<Record<Status, string>>,
) {
  return Object.fromEntries(
    Object.entries<string>(descriptions).map((
      [status, text],
    ) => [status, jsonAnswer(ErrorBody, text)]),
  ) as Record<Status, ReturnType<typeof jsonAnswer<typeof ErrorBody>>>;
}

export const UNAUTHORISED = errorAnswers({ 401: "No or wrong token, or not from this machine" });

/** A required JSON body. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } } as const;
}

/** The statuses that come with every JSON body. */
export const BODY_ERRORS = errorAnswers({
  400: "The body is not JSON",
  413: "The body is too large",
  415: "The body is not application/json",
  422: "The body does not match the schema",
});
