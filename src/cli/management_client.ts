/**
 * A client of the host on this machine. It compares the host's certificate with the host's own file before it sends the
 * token (product specification 1.5), and trusts nothing else: no chain, no name, no date.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import https from "node:https";
import tls from "node:tls";
import { equalBytes } from "../lib/bytes.ts";
import { OperationError } from "../lib/errors.ts";
import { readFileIfPresent } from "../store/file.ts";
import { parseManagementToken } from "../trust/host_files.ts";

/** The host answers in milliseconds; ending a session may take it seconds. */
const ANSWER_TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

export interface ManagementClient extends Disposable {
  /** The JSON the host answers with, or null for an empty answer. Throws OperationError "refused" with its reason. */
  call(method: string, path: string, body?: object): Promise<unknown>;
}

export interface ManagementAccess {
  readonly port: number;
  readonly address: string;
  readonly token: string;
  readonly certificateDer: Uint8Array;
}

/** Read from `configDirectory` how to reach its host. Throws OperationError "unreachable" when none has run. */
export async function readManagementAccess(configDirectory: string): Promise<ManagementAccess> {
  const [endpoint, token, certificate] = await Promise.all(
    ["mgmt-endpoint", "mgmt-token", "native-cert.pem"].map((name) =>
      readText(`${configDirectory}/${name}`)
    ),
  );
  const url = parseEndpoint(endpoint);
  const bearer = parseManagementToken(token ?? "");
  if (url === undefined || bearer === undefined || certificate === undefined) {
    throw new OperationError(
      "unreachable",
      `Cannot find a host: none has run with ${configDirectory}`,
      {
        remedy:
          "Start one with `punktfunk-host serve`, or set PUNKTFUNK_CONFIG_DIR to where it runs",
      },
    );
  }
  return {
    address: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port),
    token: bearer,
    certificateDer: derOf(certificate, `${configDirectory}/native-cert.pem`),
  };
}

async function readText(path: string): Promise<string | undefined> {
  const bytes = await readFileIfPresent(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Anything but HTTPS on loopback is not an endpoint: the token must not leave this machine. */
function parseEndpoint(text: string | undefined): URL | undefined {
  const url = URL.parse(/^PUNKTFUNK_MGMT_URL=(\S+)\s*$/.exec(text ?? "")?.[1] ?? "");
  const isLoopback = url !== null && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  return url?.protocol === "https:" && url.port !== "" && isLoopback ? url : undefined;
}

function derOf(pem: string, path: string): Uint8Array {
  try {
    return new X509Certificate(pem).raw;
  } catch (cause) {
    throw new OperationError("storage", `Cannot read ${path}: it is no certificate`, { cause });
  }
}

/**
 * Connect and compare certificates. Throws OperationError "unreachable", or "certificate-mismatch" when something else
 * answers at the host's port.
 */
export async function openManagementClient(access: ManagementAccess): Promise<ManagementClient> {
  const close = (socket: tls.TLSSocket) => socket.destroy();
  const connect = async () => {
    const socket = await connectTls(access);
    const presented: unknown = socket.getPeerCertificate().raw;
    if (presented instanceof Uint8Array && equalBytes(presented, access.certificateDer)) {
      return socket;
    }
    close(socket);
    throw new OperationError(
      "certificate-mismatch",
      `Cannot trust what answers at port ${access.port}: its certificate is not this host's`,
      { remedy: "Check which program listens there; the token was not sent" },
    );
  };
  // The first connection is made at once, so that opening tells whether there is a host.
  let next: tls.TLSSocket | undefined = await connect();
  return {
    async call(method, path, body) {
      const socket = next ?? await connect();
      next = undefined;
      try {
        return await exchange(socket, access, { method, path, body });
      } finally {
        close(socket);
      }
    },
    [Symbol.dispose]() {
      if (next !== undefined) close(next);
      next = undefined;
    },
  };
}

function unreachable(access: ManagementAccess, cause: unknown): OperationError {
  return new OperationError("unreachable", `Cannot reach the host at port ${access.port}`, {
    remedy: "Start it with `punktfunk-host serve`",
    cause,
  });
}

function connectTls(access: ManagementAccess): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: access.address,
      port: access.port,
      // The comparison of certificates is the whole check.
      rejectUnauthorized: false,
      timeout: ANSWER_TIMEOUT_MS,
    }, () => resolve(socket));
    const fail = (cause: unknown) => {
      socket.destroy();
      reject(unreachable(access, cause));
    };
    socket.once("error", fail);
    socket.once("timeout", () => fail(new Error("no answer in time")));
  });
}

function exchange(
  socket: tls.TLSSocket,
  access: ManagementAccess,
  request: { readonly method: string; readonly path: string; readonly body: object | undefined },
): Promise<unknown> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  return new Promise((resolve, reject) => {
    const outgoing = https.request({
      createConnection: () => socket,
      host: access.address,
      port: access.port,
      method: request.method,
      path: request.path,
      timeout: ANSWER_TIMEOUT_MS,
      headers: {
        authorization: `Bearer ${access.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
    }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (part: string) => {
        text += part;
        if (text.length > ANSWER_BYTES_MAX) incoming.destroy(new Error("the answer is too long"));
      });
      incoming.on("error", (cause) => reject(unreachable(access, cause)));
      incoming.on("end", () => {
        try {
          resolve(readAnswer(incoming.statusCode ?? 0, text));
        } catch (error) {
          reject(error);
        }
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in time")));
    outgoing.on("error", (cause) => reject(unreachable(access, cause)));
    outgoing.end(body);
  });
}

function readAnswer(status: number, text: string): unknown {
  let json: unknown = null;
  try {
    if (text !== "") json = JSON.parse(text);
  } catch (cause) {
    throw new OperationError("refused", `Cannot read the host's answer (status ${status})`, {
      cause,
    });
  }
  if (status >= 200 && status < 300) return json;
  const reason = (json as { error?: unknown } | null)?.error;
  throw new OperationError(
    "refused",
    typeof reason === "string" ? reason : `The host refused with status ${status}`,
  );
}
