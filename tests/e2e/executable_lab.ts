/**
 * The compiled program, alone in a directory of its own, run as an ordinary user.
 *
 * `deno compile` puts a bare runtime in front of the program. Where Deno's own place for it cannot be reached, a pair of
 * an older Deno and its runtime serves: `$PUNKTFUNK_DENORT_DIR/{deno,denort}`, or what ../shared/lab/denort.sh fetches
 * when that script lies beside the checkout.
 *
 * @module
 */
import { compiledExecutable } from "./compiled_executable.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SCRIPT = new URL("../../../shared/lab/denort.sh", import.meta.url).pathname;
const KEPT_PAIR = `${ROOT}dist/denort`;
const USER = "nobody";
const WAIT_MS = 20_000;

/** A Deno and the runtime of the same release. */
export interface DenortPair {
  /** As `Deno.version.deno`. */
  readonly version: string;
  readonly deno: string;
  readonly denort: string;
}

/** The pair to compile with, or why there is none, in a few words. */
export async function findPair(): Promise<DenortPair | string> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return "made for Linux on x86_64";
  if (Deno.uid() !== 0) return "needs root, to become other users and mount file systems";
  const given = Deno.env.get("PUNKTFUNK_DENORT_DIR");
  const directory = given || KEPT_PAIR;
  if (await hasPair(directory)) return await openPair(directory);
  if (given) return `PUNKTFUNK_DENORT_DIR, ${given}, has no deno and denort`;
  if (!await isFile(SCRIPT)) return "no runtime to compile with: set PUNKTFUNK_DENORT_DIR";
  const { success } = await run([SCRIPT, directory]);
  return success ? await openPair(directory) : "denort.sh could not fetch the runtime";
}

async function hasPair(directory: string): Promise<boolean> {
  return await isFile(`${directory}/deno`) && await isFile(`${directory}/denort`);
}

async function openPair(directory: string): Promise<DenortPair> {
  const deno = `${directory}/deno`;
  const { out } = await run([deno, "--version"]);
  return { version: /^deno (\S+)/.exec(out)?.[1] ?? "", deno, denort: `${directory}/denort` };
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

export interface RunResult {
  readonly success: boolean;
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface CommandOptions {
  /** The whole environment; `undefined` leaves a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface RunOptions extends CommandOptions {
  /** What precedes the command; by default it makes the user an ordinary one. */
  readonly before?: readonly string[];
  /** Instead of the lab's. */
  readonly executable?: string;
}

async function run(command: readonly string[], options: CommandOptions = {}): Promise<RunResult> {
  return resultOf(await commandOf(command, options).output());
}

function resultOf({ success, code, stdout, stderr }: Deno.CommandOutput): RunResult {
  const decoder = new TextDecoder();
  return { success, code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

function commandOf(
  [program = "", ...args]: readonly string[],
  options: CommandOptions,
): Deno.Command {
  const { env, cwd } = options;
  const named = Object.entries(env ?? {}).filter((entry): entry is [string, string] =>
    entry[1] !== undefined
  );
  return new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { clearEnv: true, env: Object.fromEntries(named) }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** What turns a command of root's into one of an ordinary user who is in no group. */
export const AS_ORDINARY_USER = [
  "/usr/bin/setpriv",
  `--reuid=${USER}`,
  "--regid=nogroup",
  "--clear-groups",
  "--no-new-privs",
];

/** The directories of one user, empty at first. */
export interface Home {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A running `serve`. */
export interface Serving {
  readonly processId: number;
  /** Of the management API. */
  readonly port: number;
  readonly nativePort: number;
  /** Send SIGTERM and wait for the end. */
  stop(): Promise<RunResult>;
}

export class ExecutableLab implements AsyncDisposable {
  /** Everything below is the lab's and is removed with it. */
  readonly directory: string;
  /** Holds the executable and nothing else. */
  readonly place: string;
  readonly #pair: DenortPair;

  private constructor(directory: string, pair: DenortPair) {
    this.#pair = pair;
    this.directory = directory;
    this.place = `${directory}/place`;
  }

  get executable(): string {
    return `${this.place}/punktfunk-host`;
  }

  static async compile(pair: DenortPair): Promise<ExecutableLab> {
    const lab = new ExecutableLab(await Deno.makeTempDir({ prefix: "pf-executable-" }), pair);
    await Deno.chmod(lab.directory, 0o755);
    await Deno.mkdir(lab.place, { mode: 0o755 });
    await Deno.copyFile(await compiledExecutable(pair), lab.executable);
    return lab;
  }

  /** A new user's directories: a home, and a runtime directory only that user may enter. */
  async home(): Promise<Home> {
    const home = await Deno.makeTempDir({ dir: this.directory });
    const runtime = `${home}/run`;
    await Deno.mkdir(runtime, { mode: 0o700 });
    const owner = (await run(["/usr/bin/id", "-u", USER])).out.trim();
    for (const path of [home, runtime]) await Deno.chown(path, Number(owner), null);
    return { home, env: { HOME: home, XDG_RUNTIME_DIR: runtime } };
  }

  /** The command that starts the executable in its own directory, without an environment unless one is given. */
  #command(args: readonly string[], options: RunOptions): Deno.Command {
    const { before = AS_ORDINARY_USER, executable = this.executable } = options;
    return commandOf([...before, executable, ...args], { env: {}, cwd: this.place, ...options });
  }

  spawn(args: readonly string[], options: RunOptions = {}): Deno.ChildProcess {
    return this.#command(args, options).spawn();
  }

  /** Run the executable to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return resultOf(await this.#command(args, options).output());
  }

  /** Compile another program of this checkout the same way; returns the file. Paths are from the root. */
  async compileChild(main: string, included: readonly string[]): Promise<string> {
    const output = `${this.directory}/child`;
    const { deno, denort } = this.#pair;
    const { success, err } = await run(
      [
        ...[deno, "compile", "-A", "--quiet", "--no-check", "--no-code-cache"],
        ...included.flatMap((path) => ["--include", path]),
        ...["--output", output, main],
      ],
      { cwd: ROOT, env: { ...Deno.env.toObject(), DENORT_BIN: denort } },
    );
    if (!success) throw new Error(`Cannot compile: ${err}`);
    return output;
  }

  /** A copy of the executable with one bit changed inside the embedded `library`; returns the file. */
  async damagedCopy(library: string): Promise<string> {
    const bytes = await Deno.readFile(this.executable);
    const at = indexOf(bytes, await Deno.readFile(library)) + 100_000;
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    const path = `${this.directory}/damaged`;
    await Deno.writeFile(path, bytes, { mode: 0o755 });
    return path;
  }

  /**
   * A shell script of root's that sees mounts of its own; `$1` is the executable, `$2` an empty directory to mount on,
   * `$3` what makes a command the ordinary user's.
   */
  async runPrivately(script: string): Promise<RunResult> {
    const mountPoint = await Deno.makeTempDir({ dir: this.directory });
    await Deno.chmod(mountPoint, 0o755);
    return await run(
      [
        ...["/usr/bin/unshare", "--mount", "/bin/sh", "-uc", script, "sh"],
        ...[this.executable, mountPoint, AS_ORDINARY_USER.join(" ")],
      ],
      { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, cwd: this.place },
    );
  }

  /** Start `serve` on free ports and wait until the management API listens. */
  async serve(args: readonly string[], options: RunOptions): Promise<Serving> {
    const child = this.spawn(["serve", ...args], options);
    const out = new Response(child.stdout).text();
    const err = new LineReader(child.stderr);
    const timer = setTimeout(() => child.kill("SIGKILL"), WAIT_MS);
    const line = await err.find(/UDP port (\d+)[^]*Management API listens on port (\d+)/);
    clearTimeout(timer);
    const end = async (): Promise<RunResult> => {
      const { success, code } = await child.status;
      return { success, code, out: await out, err: await err.rest() };
    };
    if (line === undefined) throw new Error(`serve does not listen:\n${(await end()).err}`);
    return {
      processId: child.pid,
      nativePort: Number(line[1]),
      port: Number(line[2]),
      async stop() {
        child.kill("SIGTERM");
        return await end();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Where `part` begins in `bytes`, told by its first page. */
function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const head = part.subarray(0, 4096);
  for (let at = bytes.indexOf(0x7f); at >= 0; at = bytes.indexOf(0x7f, at + 1)) {
    if (head.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  throw new Error("The executable does not hold the library");
}

/** Reads a stream to its end and remembers all of it. */
class LineReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Read until `pattern` has come; undefined when the stream ends before. */
  async find(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    for (;;) {
      const found = pattern.exec(this.#text);
      if (found !== null) return found;
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
  }

  /** Everything, once the stream has ended. */
  async rest(): Promise<string> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return this.#text;
      this.#text += value;
    }
  }
}
