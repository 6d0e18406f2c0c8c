/**
 * A whole host in this process, on ports of its own, with the synthetic picture and its own directories.
 *
 * @module
 */
import { openHost } from "../../src/host.ts";
import type { EnvironmentReader, Host, HostOptions } from "../../src/host_options.ts";
import { OperationError } from "../../src/lib/errors.ts";
import { SILENT_LOGGER } from "../../src/lib/logger.ts";
import { LogRing } from "../../src/log/ring.ts";
import { resolveDirectories } from "../../src/platform/paths.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { MoonlightClient } from "../client/moonlight_client.ts";

const PORT_BASE_MIN = 20_000;
const PORT_BASE_MAX = 30_000;
const TRIES_MAX = 20;
const POLLS_MAX = 5000;

export interface HostLab extends AsyncDisposable {
  readonly host: Host;
  readonly portBase: number;
  /** Speaks to the management API as the administrator. */
  api(
    path: string,
    init?: { readonly method?: string; readonly body?: unknown },
  ): Promise<Response>;
  /** Ask the API until `isWanted`; each answer takes a while, so this waits without sleeping. */
  until<T>(path: string, isWanted: (answer: T) => boolean): Promise<T>;
  /** A client that has paired, its PIN brought by the API as an operator would. */
  pairedClient(): Promise<MoonlightClient>;
}

/** Open a host. `changes` overrule the options of a bare synthetic host; `env` is the desktop it runs in. */
export async function openHostLab(
  changes: Partial<HostOptions> = {},
  env: EnvironmentReader = { get: () => undefined },
): Promise<HostLab> {
  const directory = await Deno.makeTempDir({ prefix: "pf-host-" });
  const { host, portBase, managementPort } = await openSomewhere(directory, { changes, env });
  const token = (await Deno.readTextFile(`${directory}/mgmt-token`)).trim().split("=")[1] ?? "";
  const certificate = await Deno.readTextFile(`${directory}/native-cert.pem`);
  const http = Deno.createHttpClient({ caCerts: [certificate] });

  const lab: HostLab = {
    host,
    portBase,
    api: (path, init = {}) =>
      fetch(`https://127.0.0.1:${managementPort}/api/v1${path}`, {
        client: http,
        method: init.method ?? "GET",
        headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
        body: init.body === undefined ? null : JSON.stringify(init.body),
      }),
    async until<T>(path: string, isWanted: (answer: T) => boolean) {
      for (let poll = 0; poll < POLLS_MAX; poll++) {
        const answer: T = await (await lab.api(path)).json();
        if (isWanted(answer)) return answer;
      }
      throw new Error(`${path} never became what was waited for`);
    },
    async pairedClient() {
      const client = await MoonlightClient.create({ httpPort: portBase });
      await client.pair((pin) => deliver(lab, pin));
      return client;
    },
    async [Symbol.asyncDispose]() {
      await host.close();
      http.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
  return lab;
}

const PENDING_TRIES_MAX = 1000;

/** The client shows its PIN while its request travels: an operator sees the request first. */
async function deliver(lab: HostLab, pin: string): Promise<void> {
  for (let attempt = 0; attempt < PENDING_TRIES_MAX; attempt++) {
    const { pin_pending } = await (await lab.api("/pair")).json();
    if (pin_pending) break;
  }
  const answer = await lab.api("/pair/pin", { method: "POST", body: { pin } });
  const text = await answer.text();
  if (answer.status !== 204) throw new Error(`The PIN was refused: ${answer.status} ${text}`);
}

/** Ports are wanted at fixed distances, so the system cannot choose them: try until a range is free. */
async function openSomewhere(
  directory: string,
  { changes, env }: { readonly changes: Partial<HostOptions>; readonly env: EnvironmentReader },
) {
  const clock = openSystemClock();
  const directories = resolveDirectories({
    HOME: directory,
    PUNKTFUNK_CONFIG_DIR: directory,
    XDG_RUNTIME_DIR: directory,
  }, "linux");
  for (let attempt = 1;; attempt++) {
    const portBase = PORT_BASE_MIN + Math.floor(Math.random() * (PORT_BASE_MAX - PORT_BASE_MIN));
    const managementPort = portBase + 1;
    try {
      const host = await openHost({
        isGamestreamOn: true,
        gamestreamPortBase: portBase,
        nativePort: 0,
        dataPort: 0,
        pairingPolicy: "required",
        idleTimeoutMs: 8_000,
        delivery: "burst",
        mtuBytes: undefined,
        isChaChaAllowed: true,
        videoDropPercent: 0,
        managementBind: { address: "127.0.0.1", port: managementPort },
        isMdnsOn: false,
        source: "synthetic",
        encoder: "auto",
        fecPercent: undefined,
        hostName: "lab",
        ...changes,
      }, {
        env,
        directories,
        logger: SILENT_LOGGER,
        ring: new LogRing(),
        clock,
      });
      return { host, portBase, managementPort };
    } catch (error) {
      const isBusy = error instanceof OperationError && error.code === "port-in-use";
      if (!isBusy || attempt === TRIES_MAX) throw error;
    }
  }
}
