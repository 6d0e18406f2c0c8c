/**
 * A headless Sway for tests, as an ordinary user in a private runtime directory, and a client inside it that draws and
 * reports every event it gets.
 *
 * Sway refuses to run as root, so root starts it as the user `lab` (made when missing) and connects to its sockets.
 *
 * @module
 */
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { SwayIpc } from "../../src/display/sway_ipc.ts";

const LAB_USER = "lab";
const PACKAGES = "dbus dbus-user-session libwayland-bin libwayland-dev gcc sway util-linux";
const WAIT_MS = 10_000;

const CONFIG = `
output HEADLESS-1 mode 1280x720@60Hz
default_border none
xwayland disable
`;

/** Why a test that needs Sway cannot run here, with the remedy. */
function missing(what: string): Error {
  return new Error(
    `${what} is missing. Run: apt-get install --no-install-recommends ${PACKAGES}`,
  );
}

async function output(command: string, ...args: string[]): Promise<string> {
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command(command, { args, stdout: "piped", stderr: "piped" }).output();
  } catch {
    throw missing(command);
  }
  const decoder = new TextDecoder();
  if (!result.success) throw new Error(`${command}: ${decoder.decode(result.stderr)}`);
  return decoder.decode(result.stdout).trim();
}

/** What precedes a command so that it runs as an ordinary user, and that user's numbers. */
async function ordinaryUser(): Promise<{ prefix: string[]; uid: number; gid: number }> {
  if (Deno.uid() !== 0) return { prefix: [], uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  try {
    await output("id", "-u", LAB_USER);
  } catch {
    await output("useradd", "-m", "-s", "/bin/sh", LAB_USER);
  }
  const prefix = ["setpriv", `--reuid=${LAB_USER}`, `--regid=${LAB_USER}`, "--init-groups"];
  const [uid, gid] = [await output("id", "-u", LAB_USER), await output("id", "-g", LAB_USER)];
  return { prefix, uid: Number(uid), gid: Number(gid) };
}

/** Resolves with what `find` finds. Nothing tells when another program is ready, so it is asked again and again. */
async function untilFound<T>(find: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = Date.now() + WAIT_MS;
  while (Date.now() < deadlineMs) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("Sway did not start");
}

export interface SwayLabOptions {
  /** Lines added to Sway's configuration. */
  readonly config?: string;
}

export class SwayLab implements AsyncDisposable {
  readonly runtimeDirectory: string;
  /** Absolute paths. */
  readonly waylandSocket: string;
  readonly swaySocket: string;
  readonly ipc: SwayIpc;
  readonly #child: Deno.ChildProcess;
  readonly #clients: LabClient[] = [];

  private constructor(
    runtimeDirectory: string,
    sockets: { waylandSocket: string; swaySocket: string },
    child: Deno.ChildProcess,
  ) {
    this.runtimeDirectory = runtimeDirectory;
    this.waylandSocket = sockets.waylandSocket;
    this.swaySocket = sockets.swaySocket;
    this.ipc = new SwayIpc(sockets.swaySocket, openSystemClock());
    this.#child = child;
  }

  static async start(options: SwayLabOptions = {}): Promise<SwayLab> {
    const user = await ordinaryUser();
    const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "pf-sway-" });
    await Deno.writeTextFile(`${directory}/sway.conf`, CONFIG + (options.config ?? ""));
    await Deno.chmod(directory, 0o700);
    await Deno.chown(directory, user.uid, user.gid);
    const [command = "dbus-run-session", ...args] = [
      ...user.prefix,
      "dbus-run-session",
      "--",
      "sway",
      "-c",
      `${directory}/sway.conf`,
    ];
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(command, {
        args,
        clearEnv: true,
        cwd: directory,
        env: {
          HOME: directory,
          PATH: "/usr/local/bin:/usr/bin:/bin",
          LANG: "C.UTF-8",
          XDG_RUNTIME_DIR: directory,
          XDG_CURRENT_DESKTOP: "sway",
          WLR_BACKENDS: "headless",
          WLR_HEADLESS_OUTPUTS: "1",
          WLR_LIBINPUT_NO_DEVICES: "1",
          WLR_RENDERER: "pixman",
        },
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
    } catch {
      throw missing(command);
    }
    try {
      const sockets = await Promise.race([
        untilFound(() => findSockets(directory)),
        child.status.then(({ code }): never => {
          throw missing(`Sway (exit code ${code})`);
        }),
      ]);
      return new SwayLab(directory, sockets, child);
    } catch (error) {
      await Deno.remove(directory, { recursive: true });
      throw error;
    }
  }

  /** The environment a host in this desktop would have. */
  get environment(): { get(name: string): string | undefined } {
    const variables: Record<string, string> = {
      XDG_RUNTIME_DIR: this.runtimeDirectory,
      WAYLAND_DISPLAY: this.waylandSocket,
      SWAYSOCK: this.swaySocket,
    };
    return { get: (name) => variables[name] };
  }

  /** Start the client full-screen on an output; resolves once it has drawn. */
  async startClient(outputName: string, kind: "moving" | "still"): Promise<LabClient> {
    const client = await LabClient.start(await buildClient(), {
      args: [outputName, kind],
      env: { XDG_RUNTIME_DIR: this.runtimeDirectory, WAYLAND_DISPLAY: this.waylandSocket },
    });
    this.#clients.push(client);
    await client.until((event) => event.event === "configure");
    return client;
  }

  /** End the compositor, as a logout does. */
  async exit(): Promise<void> {
    // Sway leaves without answering.
    await this.ipc.command("exit").catch(() => {});
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.exit();
    await Deno.remove(this.runtimeDirectory, { recursive: true });
  }
}

async function findSockets(
  directory: string,
): Promise<{ waylandSocket: string; swaySocket: string } | undefined> {
  let waylandSocket: string | undefined;
  let swaySocket: string | undefined;
  for await (const { name } of Deno.readDir(directory)) {
    if (/^wayland-\d+$/.test(name)) waylandSocket = `${directory}/${name}`;
    if (/^sway-ipc\..*\.sock$/.test(name)) swaySocket = `${directory}/${name}`;
  }
  if (waylandSocket === undefined || swaySocket === undefined) return undefined;
  // The file exists before Sway listens.
  try {
    await new SwayIpc(swaySocket, openSystemClock()).version();
  } catch {
    return undefined;
  }
  return { waylandSocket, swaySocket };
}

/** One line of the client, e.g. {"event":"motion","x":1,"y":2}. */
export type LabEvent = Readonly<Record<string, unknown>> & { readonly event: string };

export class LabClient implements AsyncDisposable {
  readonly events: LabEvent[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #wake: () => void = () => {};
  #position = 0;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  static start(
    path: string,
    options: { readonly args: string[]; readonly env: Record<string, string> },
  ): Promise<LabClient> {
    return Promise.resolve(
      new LabClient(
        new Deno.Command(path, {
          ...options,
          clearEnv: true,
          stdin: "piped",
          stdout: "piped",
          stderr: "null",
        }).spawn(),
      ),
    );
  }

  /** The first event that fits among those not yet asked past; everything before it is passed over. */
  async until(fits: (event: LabEvent) => boolean): Promise<LabEvent> {
    const deadlineMs = Date.now() + WAIT_MS;
    for (;;) {
      while (this.#position < this.events.length) {
        const event = this.events[this.#position++];
        if (event !== undefined && fits(event)) return event;
      }
      const timedOut = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), deadlineMs - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve(false);
        };
      });
      if (timedOut) {
        throw new Error(
          `The client did not get the event; its last: ${JSON.stringify(this.events.slice(-8))}`,
        );
      }
    }
  }

  /** Everything of these kinds up to and with the event that fits. */
  async collect(kinds: readonly string[], fits: (event: LabEvent) => boolean): Promise<LabEvent[]> {
    const start = this.#position;
    await this.until(fits);
    return this.events.slice(start, this.#position).filter(({ event }) => kinds.includes(event));
  }

  /** Draw one more picture. */
  async draw(): Promise<void> {
    await this.#input.write(new TextEncoder().encode("draw\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.events.push(JSON.parse(line) as LabEvent);
      this.#wake();
    }
  }
}

let clientPath: Promise<string> | undefined;

/** Compile the client once for each change of its source; returns its path. */
function buildClient(): Promise<string> {
  clientPath ??= compileClient();
  return clientPath;
}

async function compileClient(): Promise<string> {
  const source = new URL("./clients/sway_client.c", import.meta.url).pathname;
  const shell = new URL("./clients/protocols/xdg-shell.xml", import.meta.url).pathname;
  const directory = new URL("../../dist/e2e/", import.meta.url).pathname;
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(source));
  const path = `${directory}sway_client-${new Uint8Array(digest).toHex().slice(0, 16)}`;
  try {
    await Deno.stat(path);
    return path;
  } catch {
    await Deno.mkdir(directory, { recursive: true });
  }
  const [header, glue] = [`${directory}xdg-shell-client.h`, `${directory}xdg-shell.c`];
  await output("wayland-scanner", "client-header", shell, header);
  await output("wayland-scanner", "private-code", shell, glue);
  const flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"];
  const temporary = `${path}.${Deno.pid}`;
  await output(
    "gcc",
    ...flags,
    `-I${directory}`,
    source,
    glue,
    "-lwayland-client",
    "-ldl",
    "-o",
    temporary,
  );
  await Deno.rename(temporary, path);
  return path;
}
