/**
 * The management API as a function from request to answer; `server.ts` puts it on a socket.
 *
 * A request passes, in this order: headers of every answer → origin → lane → body size → content type → schema → route.
 *
 * @module
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Logger } from "../src/lib/logger.ts";
import { VERSION } from "../src/lib/version.ts";
import { limitBody } from "./body.ts";
import { docsPage } from "./docs_page.ts";
import { answerError, ApiError } from "./errors.ts";
import type { HostFacade } from "./host_facade.ts";
import { isLoopback } from "../src/lib/address.ts";
import { LANES, TokenCheck } from "./lanes.ts";
import { addClientRoutes } from "./routes/clients.ts";
import { addHostRoutes } from "./routes/host.ts";
import { addLogRoutes } from "./routes/logs.ts";
import { addNativeRoutes } from "./routes/native.ts";
import { addPairRoutes } from "./routes/pair.ts";
import { addSessionRoutes } from "./routes/session.ts";

/** What the server knows of a request beside the request itself. */
export interface ApiBindings {
  /** Address of the peer. Absent for callers inside the process: they count as remote. */
  readonly remoteAddress?: string;
}

export interface ApiContext {
  Bindings: ApiBindings;
}

export type ApiApp = OpenAPIHono<ApiContext>;

export interface ApiOptions {
  readonly facade: HostFacade;
  /** The management token. */
  readonly token: string;
  readonly logger: Logger;
}

const SECURITY_HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

export function createApi({ facade, token, logger }: ApiOptions): ApiApp {
  const app: ApiApp = new OpenAPIHono<ApiContext>({
    defaultHook: (result) => {
      if (result.success) return;
      const issue = result.error.issues[0];
      const field = issue?.path.join(".") ?? "";
      throw new ApiError(
        result.target === "json" ? 422 : 400,
        `Cannot accept the ${result.target}: ${field === "" ? "" : `${field}: `}${issue?.message}`,
      );
    },
  });
  app.onError((error, context) => answerError(error, context, logger));
  app.notFound((context) => answerError(noSuchRoute(app, context), context, logger));

  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      context.res.headers.set(name, value);
    }
  });
  app.use(refuseForeignOrigin);
  app.use(requireLane(new TokenCheck(token)));
  app.use(limitBody);

  addHostRoutes(app, facade);
  addPairRoutes(app, facade);
  addClientRoutes(app, facade);
  addNativeRoutes(app, facade);
  addSessionRoutes(app, facade);
  addLogRoutes(app, facade);
  app.openAPIRegistry.registerComponent("securitySchemes", "bearerAuth", {
    type: "http",
    scheme: "bearer",
    description: "The management token, from this machine only",
  });
  const document = describeApi(app);
  app.get(
    "/api/v1/openapi.json",
    (context) => context.body(document.text, 200, { "Content-Type": "application/json" }),
  );
  app.get("/api/docs", (context) => context.html(docsPage(document.json)));
  return app;
}

/** The OpenAPI document, as JSON and as the exact text that is served, printed and checked in. */
export function describeApi(app: ApiApp) {
  const json = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "punktfunk management API",
      version: VERSION,
      license: { name: "MIT OR Apache-2.0" },
    },
    security: [{ bearerAuth: [] }],
  });
  return { json, text: JSON.stringify(json, null, 2) + "\n" };
}

/**
 * A browser sends Origin with every unsafe request to another site. The bearer header already keeps such a page out;
 * this also keeps it from trying.
 */
const refuseForeignOrigin: MiddlewareHandler<ApiContext> = async (context, next) => {
  const isSafe = ["GET", "HEAD", "OPTIONS"].includes(context.req.method);
  const origin = context.req.header("origin");
  const site = context.req.header("sec-fetch-site");
  const isForeign = (origin !== undefined && origin !== new URL(context.req.url).origin) ||
    (site !== undefined && site !== "same-origin" && site !== "none");
  if (!isSafe && isForeign) throw new ApiError(403, "Cannot accept a request from another site");
  await next();
};

function requireLane(check: TokenCheck): MiddlewareHandler<ApiContext> {
  return async (context, next) => {
    const route = matchedRoutes(context).findLast(({ method }) => method !== "ALL");
    if (route !== undefined) {
      const lane =
        LANES[`${route.method} ${route.path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "{$1}")}`];
      if (lane !== "public") {
        if (lane !== "admin") throw new ApiError(403, "Cannot call this route: it has no lane");
        requireAdmin(context, check);
      }
    }
    await next();
  };
}

function requireAdmin(context: Context<ApiContext>, check: TokenCheck): void {
  const challenge = { "WWW-Authenticate": "Bearer" };
  // Where the request comes from is told first: a remote caller must not learn whether a token is right.
  if (!isLoopback(context.env.remoteAddress ?? "")) {
    throw new ApiError(401, "Cannot authorise: the admin API is loopback-only", challenge);
  }
  if (!check.accepts(context.req.header("authorization"))) {
    throw new ApiError(
      401,
      "Cannot authorise: the management token is missing or wrong",
      challenge,
    );
  }
}

function noSuchRoute(app: ApiApp, context: Context): ApiError {
  const allowed = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) =>
    app.routes.length > 0 &&
    app.router.match(method, context.req.path)[0].some(([[, route]]) => route.method === method)
  );
  return allowed.length === 0
    ? new ApiError(404, "Cannot find this route")
    : new ApiError(405, `Cannot ${context.req.method} here: allowed is ${allowed.join(", ")}`, {
      Allow: allowed.join(", "),
    });
}
