/**
 * The management API on a TLS socket (product specification 4.1). TLS is always on, with the host's native identity.
 *
 * @module
 */
import { OperationError } from "../src/lib/errors.ts";
import { type ApiOptions, createApi } from "./app.ts";

/** How long `close` lets answers finish before it cuts their connections. */
const CLOSE_GRACE_MS = 1_000;

export interface ApiServerOptions extends ApiOptions {
  /** Port 0 lets the system choose. */
  readonly bind: { readonly address: string; readonly port: number };
  readonly identity: { readonly certificatePem: string; readonly keyPem: string };
}

export interface ApiServer {
  readonly address: string;
  readonly port: number;
  /** Twice is legal. */
  close(): Promise<void>;
}

/** Serve the API. Throws OperationError "port-in-use" or "unavailable" when the address cannot be had. */
export function openApi(options: ApiServerOptions): ApiServer {
  const { bind, identity } = options;
  const app = createApi(options);
  const cut = new AbortController();
  const server = listen(bind, () =>
    Deno.serve({
      hostname: bind.address,
      port: bind.port,
      cert: identity.certificatePem,
      key: identity.keyPem,
      signal: cut.signal,
      onListen: () => {},
    }, (request, { remoteAddr }) => {
      return app.fetch(request, { remoteAddress: remoteAddr.hostname });
    }));

  let closing: Promise<void> | undefined;
  return {
    address: server.addr.hostname,
    port: server.addr.port,
    close() {
      closing ??= closeWithin(server, cut);
      return closing;
    },
  };
}

async function closeWithin(
  server: Deno.HttpServer<Deno.NetAddr>,
  cut: AbortController,
): Promise<void> {
  // A peer that sends its body for ever must not hold the host's end up.
  const timer = setTimeout(() => cut.abort(), CLOSE_GRACE_MS);
  await server.shutdown();
  await server.finished;
  clearTimeout(timer);
}

function listen<T>(bind: ApiServerOptions["bind"], serve: () => T): T {
  const address = `${bind.address.includes(":") ? `[${bind.address}]` : bind.address}:${bind.port}`;
  try {
    return serve();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new OperationError(
        "port-in-use",
        `Cannot serve the management API at ${address}: the port is in use`,
        { remedy: "End the other host, or choose another port with --mgmt-bind", cause: error },
      );
    }
    throw new OperationError("unavailable", `Cannot serve the management API at ${address}`, {
      remedy: "Choose an address of this machine with --mgmt-bind",
      cause: error,
    });
  }
}
