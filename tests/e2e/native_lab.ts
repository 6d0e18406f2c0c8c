/**
 * The native plane as a process of its own, `punktfunk1-host`, on ports that the system chooses.
 *
 * @module
 */
const ROOT = new URL("../../", import.meta.url).pathname;

export interface NativeHostLab extends AsyncDisposable {
  readonly port: number;
  readonly pin: string;
  /** Where the host keeps its identity and its devices. */
  readonly directory: string;
  readonly processId: number;
  /** Everything on stderr so far. */
  log(): string;
  /** Resident memory in bytes. */
  residentBytes(): Promise<number>;
  descriptors(): Promise<number>;
  /** Resolves with the exit code once it ended by itself. */
  readonly ended: Promise<number>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number>;
}

/** Start the host and wait until it listens. */
export async function openNativeHostLab(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<NativeHostLab> {
  const directory = await Deno.makeTempDir({ prefix: "punktfunk-native-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", `${ROOT}main.ts`, "punktfunk1-host"],
      ...["--no-mdns", "--port", "0", ...args],
    ],
    env: { PUNKTFUNK_CONFIG_DIR: directory, ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  const listening = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (/listens on UDP port \d+/.test(text)) listening.resolve();
    }
    listening.reject(new Error(`The host ended: ${text}`));
  })();
  listening.promise.catch(() => {});
  await listening.promise;
  const port = Number(/listens on UDP port (\d+)/.exec(text)?.[1]);
  const pin = /pairing PIN: (\S+)/.exec(text)?.[1] ?? "";
  const ended = child.status.then(({ code }) => code);
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It ended by itself.
    }
    return await ended;
  };
  return {
    port,
    pin,
    directory,
    processId: child.pid,
    log: () => text,
    async residentBytes() {
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
    },
    async descriptors() {
      return (await Array.fromAsync(Deno.readDir(`/proc/${child.pid}/fd`))).length;
    },
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await reading;
      await Deno.remove(directory, { recursive: true });
    },
  };
}
