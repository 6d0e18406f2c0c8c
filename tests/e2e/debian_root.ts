/**
 * A Debian machine's file system that may be changed at will: what is written lies in memory and goes with it.
 *
 * Below it is a fresh minimal Debian where ../shared/lab/root.sh lies beside the checkout and debootstrap is installed,
 * made once and kept in dist/e2e/; else the file system of this machine, if that is a Debian.
 *
 * @module
 */
const ROOT = new URL("../../", import.meta.url).pathname;
const SCRIPT = new URL("../../../shared/lab/root.sh", import.meta.url).pathname;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The mounts live in a namespace of this shell's, which ends with its input. `$1` lies below, `$2` is the lab's, `$3` shown. */
const HOLDER = `
mount --make-rprivate /
mount -t tmpfs -o mode=755 lab "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
mount --rbind /dev "$2/root/dev"
mount -t proc proc "$2/root/proc"
mount -t tmpfs -o mode=1777 tmp "$2/root/tmp"
mount -t tmpfs -o mode=755 run "$2/root/run"
mount --bind "$3" "$2/root/mnt"
echo ready
cat`;

export interface RootResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RootRunOptions {
  /** The home of an ordinary user to run as, instead of root. */
  readonly user?: { readonly name: string; readonly home: string };
  readonly env?: Readonly<Record<string, string>>;
}

/** Why there can be no such root on this machine, in a few words; undefined when there can be one. */
export async function findObstacle(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root, to mount file systems";
  if (await freshDebianObstacle() !== undefined && !await isThere("/var/lib/dpkg/status")) {
    return "needs a Debian";
  }
  try {
    await (await DebianRoot.over("/", { shown: "/mnt" }))[Symbol.asyncDispose]();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function freshDebianObstacle(): Promise<string | undefined> {
  if (!await isThere(SCRIPT)) return "no root.sh beside the checkout";
  return await isThere("/usr/sbin/debootstrap") ? undefined : "debootstrap is not installed";
}

/** The suite of this machine, because the executable's shims are made with its C library. */
async function freshDebian(): Promise<string> {
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(await Deno.readTextFile("/etc/os-release"))?.[1];
  if (suite === undefined) throw new Error("Cannot make a Debian: /etc/os-release names no suite");
  const directory = `${ROOT}dist/e2e/debian-${suite}`;
  if (await isThere(directory)) return directory;
  const partial = `${directory}.partial-${crypto.randomUUID()}`;
  const { success, stdout } = await new Deno.Command(SCRIPT, {
    args: ["new", suite, partial],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  if (!success) {
    await Deno.remove(partial, { recursive: true });
    throw new Error(`Cannot make a Debian: ${new TextDecoder().decode(stdout)}`);
  }
  await Deno.rename(partial, directory);
  return directory;
}

export class DebianRoot implements AsyncDisposable {
  readonly #directory: string;
  readonly #holder: Deno.ChildProcess;

  private constructor(directory: string, holder: Deno.ChildProcess) {
    this.#directory = directory;
    this.#holder = holder;
  }

  /** The directory `shown` is /mnt inside. */
  static async open(options: { readonly shown: string }): Promise<DebianRoot> {
    const below = await freshDebianObstacle() === undefined ? await freshDebian() : "/";
    return await DebianRoot.over(below, options);
  }

  /** Lay the tree over `below`. Throws with the reason when this machine does not let us. */
  static async over(below: string, { shown }: { readonly shown: string }): Promise<DebianRoot> {
    const directory = await Deno.makeTempDir({ prefix: "pf-root-" });
    const holder = new Deno.Command("unshare", {
      args: ["--mount", "/bin/sh", "-ec", HOLDER, "sh", below, directory, shown],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const root = new DebianRoot(directory, holder);
    const reader = holder.stdout.getReader();
    const { done } = await reader.read();
    reader.releaseLock();
    if (!done) return root;
    const [reason = ""] = (await new Response(holder.stderr).text()).split("\n");
    await root[Symbol.asyncDispose]();
    throw new Error(`Cannot mount: ${reason}`);
  }

  /** The command as one that runs inside; its process is the program itself. */
  command(program: readonly string[], { user, env = {} }: RootRunOptions = {}): Deno.Command {
    const variables = Object.entries({
      PATH,
      HOME: user?.home ?? "/root",
      LANG: "C.UTF-8",
      ...env,
    });
    return new Deno.Command("nsenter", {
      args: [
        `--mount=/proc/${this.#holder.pid}/ns/mnt`,
        ...["chroot", `${this.#directory}/root`, "/usr/bin/env", "-i"],
        ...variables.map(([name, value]) => `${name}=${value}`),
        ...(user === undefined
          ? []
          : ["setpriv", `--reuid=${user.name}`, `--regid=${user.name}`, "--clear-groups"]),
        ...program,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async run(program: readonly string[], options: RootRunOptions = {}): Promise<RootResult> {
    const { code, stdout, stderr } = await this.command(program, options).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Every path where programs and users keep files; those of directories end with a slash. */
  async paths(): Promise<Set<string>> {
    const { out } = await this.run([
      ...["find", "/etc", "/home", "/opt", "/root", "/srv", "/usr", "/var", "-xdev"],
      ...["-type", "d", "-printf", "%p/\\n", "-o", "-printf", "%p\\n"],
    ]);
    return new Set(out.trimEnd().split("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close().catch(() => {});
    await this.#holder.stdout.cancel();
    if (!this.#holder.stderr.locked) await this.#holder.stderr.cancel();
    await this.#holder.status;
    await Deno.remove(this.#directory, { recursive: true });
  }
}
