/**
 * A throw-away sound server for tests: D-Bus, PipeWire and WirePlumber of their own, in a runtime directory of their own,
 * with two sinks "speakers" and "headphones", of which "speakers" is the configured default.
 *
 * The daemons run as an ordinary user: as root this makes and uses the user "lab". They end with `close`, and with the
 * thread of the test. What the server holds is asked of `pw-dump`, not of the code under test.
 *
 * @module
 */
import { OperationError } from "../../src/lib/errors.ts";

const TOOLS = [
  "dbus-daemon",
  "pipewire",
  "pw-cli",
  "pw-dump",
  "pw-metadata",
  "pw-play",
  "pw-record",
  "setpriv",
  "wireplumber",
];
const LAB_USER = "lab";
const POLL_STEP_MS = 20;
const POLL_STEPS = 250;

/** What `pw-dump` prints, as far as it is read here. */
interface DumpedObject {
  readonly type: string;
  readonly props?: Readonly<Record<string, unknown>>;
  readonly info?: { readonly props?: Readonly<Record<string, unknown>> };
  readonly metadata?: readonly {
    readonly key: string;
    readonly value: { readonly name?: string };
  }[];
}

export interface LabState {
  readonly nodeNames: readonly string[];
  readonly configuredSink: string | undefined;
  readonly effectiveSink: string | undefined;
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const output = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
  const decoder = new TextDecoder();
  if (!output.success) {
    throw new Error(`${command} ${args.join(" ")}: ${decoder.decode(output.stderr)}`);
  }
  return decoder.decode(output.stdout).trim();
}

async function requireTools(): Promise<void> {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  for (const tool of TOOLS) {
    const found = await Promise.all(
      directories.map((directory) =>
        Deno.stat(`${directory}/${tool}`).then(() => true, () => false)
      ),
    );
    if (!found.includes(true)) {
      throw new Error(
        `${tool} is missing: apt-get install --no-install-recommends dbus pipewire pipewire-bin util-linux wireplumber`,
      );
    }
  }
}

/** Options of `setpriv` that give up root, when there is root to give up. */
async function asOrdinaryUser(directory: string): Promise<string[]> {
  if (Deno.uid() !== 0) return [];
  const idOf = (option: string) => run("id", [option, LAB_USER]);
  const userId = await idOf("-u").catch(async () => {
    await run("useradd", ["--system", "--no-create-home", LAB_USER]);
    return await idOf("-u");
  });
  const groupId = await idOf("-g");
  await Deno.chown(directory, Number(userId), Number(groupId));
  return [`--reuid=${userId}`, `--regid=${groupId}`, "--clear-groups"];
}

/** Ask again until `question` has an answer. Bounded; `what` says what did not happen. */
export async function eventually<T>(
  what: string,
  question: () => Promise<T | undefined>,
): Promise<T> {
  for (let step = 0; step < POLL_STEPS; step++) {
    const answer = await question();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_STEP_MS));
  }
  throw new Error(`Not in time: ${what}`);
}

export class PipewireLab implements AsyncDisposable {
  readonly #privileges: readonly string[];
  readonly #environment: Record<string, string>;
  readonly #daemons: { readonly name: string; readonly process: Deno.ChildProcess }[] = [];

  private constructor(readonly directory: string, privileges: readonly string[]) {
    this.#privileges = privileges;
    this.#environment = {
      PATH: Deno.env.get("PATH") ?? "",
      LANG: "C.UTF-8",
      HOME: directory,
      XDG_RUNTIME_DIR: directory,
      XDG_CONFIG_HOME: `${directory}/config`,
      XDG_STATE_HOME: `${directory}/state`,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${directory}/bus`,
    };
  }

  static async start(): Promise<PipewireLab> {
    await requireTools();
    const directory = await Deno.makeTempDir({ prefix: "punktfunk-lab-" });
    const lab = new PipewireLab(directory, await asOrdinaryUser(directory));
    try {
      const bus = ["--session", "--nofork", "--nopidfile", `--address=unix:path=${directory}/bus`];
      lab.#startDaemon("dbus-daemon", bus);
      await lab.#fileAppears("bus");
      await lab.startPipewire();
      await lab.configureSink("speakers");
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get socketPath(): string {
    return `${this.directory}/pipewire-0`;
  }

  /** A directory for the state of the code under test. */
  get stateDirectory(): string {
    return `${this.directory}/host-state`;
  }

  /** At the start, and anew after `killPipewire`: with the same sinks and what the session manager kept on disk. */
  async startPipewire(): Promise<void> {
    this.#startDaemon("pipewire", []);
    await this.#fileAppears("pipewire-0");
    this.#startDaemon("wireplumber", []);
    for (const sink of ["speakers", "headphones"]) await this.#addSink(sink);
    await eventually("a sink is the default", async () => (await this.state()).effectiveSink);
  }

  async killSessionManager(): Promise<void> {
    await this.#stopDaemon("wireplumber");
  }

  /** End PipeWire as a crash would, and WirePlumber with it. */
  async killPipewire(): Promise<void> {
    await this.killSessionManager();
    await this.#stopDaemon("pipewire");
    await Deno.remove(this.socketPath);
  }

  /** Choose a default sink as a person would. */
  async configureSink(name: string): Promise<void> {
    const value = JSON.stringify({ name });
    await this.run("pw-metadata", ["0", "default.configured.audio.sink", value, "Spa:String:JSON"]);
    await eventually(`"${name}" is the default`, async () => {
      return (await this.state()).effectiveSink === name ? true : undefined;
    });
  }

  /** Wait until the session manager has written its configured default to disk, which it does once a second. */
  async defaultIsOnDisk(name: string): Promise<void> {
    const path = `${this.directory}/state/wireplumber/default-nodes`;
    await eventually(`"${name}" is on disk`, async () => {
      const text = await Deno.readTextFile(path).catch(() => "");
      return text.includes(`default.configured.audio.sink=${name}\n`) ? true : undefined;
    });
  }

  async state(): Promise<LabState> {
    const objects = await this.#dump();
    const defaults = objects.find((one) => one.props?.["metadata.name"] === "default")?.metadata;
    const defaultOf = (key: string) => defaults?.find((one) => one.key === key)?.value.name;
    return {
      nodeNames: objects.filter((one) => one.type === "PipeWire:Interface:Node")
        .map((one) => String(one.info?.props?.["node.name"] ?? "")).sort(),
      configuredSink: defaultOf("default.configured.audio.sink"),
      effectiveSink: defaultOf("default.audio.sink"),
    };
  }

  /** Start a program against this server. The caller ends it. */
  spawn(command: string, args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command("setpriv", {
      args: [...this.#privileges, "--pdeathsig", "KILL", command, ...args],
      clearEnv: true,
      env: this.#environment,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Run a program against this server to its end; returns what it printed. */
  async run(command: string, args: readonly string[]): Promise<string> {
    const output = await new Deno.Command("setpriv", {
      args: [...this.#privileges, command, ...args],
      clearEnv: true,
      env: this.#environment,
      stdin: "null",
    }).output();
    if (!output.success) {
      throw new Error(`${command}: ${new TextDecoder().decode(output.stderr)}`);
    }
    return new TextDecoder().decode(output.stdout);
  }

  async close(): Promise<void> {
    while (this.#daemons.length > 0) await this.#stopDaemon(this.#daemons.at(-1)?.name ?? "");
    await Deno.remove(this.directory, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #dump(): Promise<DumpedObject[]> {
    return JSON.parse(await this.run("pw-dump", []));
  }

  async #addSink(name: string): Promise<void> {
    const properties = {
      "factory.name": "support.null-audio-sink",
      "media.class": "Audio/Sink",
      "node.name": name,
      "audio.position": ["FL", "FR"],
      "object.linger": true,
    };
    await this.run("pw-cli", ["create-node", "adapter", JSON.stringify(properties)]);
    await eventually(`sink "${name}" exists`, async () => {
      return (await this.state()).nodeNames.includes(name) ? true : undefined;
    });
  }

  #startDaemon(name: string, args: readonly string[]): void {
    this.#daemons.push({ name, process: this.spawn(name, args) });
  }

  async #stopDaemon(name: string): Promise<void> {
    const index = this.#daemons.findIndex((one) => one.name === name);
    const [daemon] = this.#daemons.splice(index, 1);
    if (daemon === undefined) return;
    try {
      daemon.process.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await daemon.process.status;
  }

  async #fileAppears(name: string): Promise<void> {
    await eventually(`${name} appears`, async () => {
      return await Deno.stat(`${this.directory}/${name}`).catch(() => undefined);
    });
  }
}

/** True for the two ways a source says that its sink or server is gone. */
export function isLost(error: unknown): boolean {
  return error instanceof OperationError &&
    (error.code === "capture-lost" || error.code === "unavailable");
}
