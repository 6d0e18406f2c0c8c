/**
 * `punktfunk1-host` and `probe` as processes of their own, with directories of their own, on loopback.
 *
 * @module
 */
import type { ProbeResult } from "../../src/probe/result.ts";
import type { QuicAdapterId } from "../../src/quic/ports.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
export const LAB_PIN = "4321";
/** Against a child that hangs: nothing here takes a tenth of it. */
const KILL_AFTER_MS = 120_000;

export interface ProbeRun {
  readonly code: number;
  /** Undefined when it failed before there was a result. */
  readonly result: ProbeResult | undefined;
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export interface NativeLab extends AsyncDisposable {
  readonly port: number;
  /** Of the host's certificate, as --fingerprint takes it. */
  readonly fingerprint: string;
  /** Run a client that keeps what it knows in a directory called `name`. */
  probe(name: string, options: ProbeLabOptions): Promise<ProbeRun>;
  /** The exit code of a host that ends by itself. */
  hostExit(): Promise<number>;
  /** What the host's process takes now. */
  usage(): Promise<{ readonly residentBytes: number; readonly descriptors: number }>;
}

export interface ProbeLabOptions {
  readonly quic: QuicAdapterId;
  readonly args?: readonly string[];
}

/** Start a host with variables of its own; ready when it says where it listens. */
export async function openNativeLab(
  quic: QuicAdapterId,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<NativeLab> {
  const directory = await Deno.makeTempDir({ prefix: "pf-native-" });
  const host = spawn({ directory: `${directory}/host`, quic, env }, [
    ...["punktfunk1-host", "--port", "0", "--no-mdns", "--pairing-pin", LAB_PIN],
    ...args,
  ]);
  const watch = watchFor(host, /listens on UDP port (\d+)/);
  const port = Number(await watch.found);
  const fingerprint = await fingerprintOf(`${directory}/host/native-cert.pem`);
  return {
    port,
    fingerprint,
    probe: (name, options) => runProbe(port, { ...options, directory: `${directory}/${name}` }),
    async usage() {
      const status = await Deno.readTextFile(`/proc/${host.pid}/status`);
      const descriptors = await Array.fromAsync(Deno.readDir(`/proc/${host.pid}/fd`));
      return {
        residentBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024,
        descriptors: descriptors.length,
      };
    },
    async hostExit() {
      const timer = setTimeout(() => host.kill("SIGKILL"), KILL_AFTER_MS);
      const { code } = await host.status;
      clearTimeout(timer);
      return code;
    },
    async [Symbol.asyncDispose]() {
      try {
        host.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      await host.status;
      await watch.done;
      await host.stdout.cancel();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Run a client against the host on `port`; what it knows is kept in `directory`. */
export async function runProbe(
  port: number,
  { directory, quic, args = [] }: ProbeLabOptions & { readonly directory: string },
): Promise<ProbeRun> {
  const child = spawn({ directory, quic }, ["probe", `127.0.0.1:${port}`, "--json", ...args]);
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  const { code, stdout } = await child.output();
  clearTimeout(timer);
  const { data, error } = JSON.parse(new TextDecoder().decode(stdout));
  return { code, result: data, error };
}

function spawn(
  { directory, quic, env = {} }: {
    readonly directory: string;
    readonly quic: QuicAdapterId;
    readonly env?: Readonly<Record<string, string>>;
  },
  args: readonly string[],
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    env: { PUNKTFUNK_CONFIG_DIR: directory, PUNKTFUNK_QUIC: quic, NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The first group of `pattern` in what `child` says on stderr, which is read to its end. */
function watchFor(child: Deno.ChildProcess, pattern: RegExp) {
  const found = Promise.withResolvers<string>();
  const read = async () => {
    let text = "";
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      const match = pattern.exec(text);
      if (match?.[1] !== undefined) found.resolve(match[1]);
    }
    found.reject(new Error(`The host said: ${text}`));
  };
  return { found: found.promise, done: read() };
}

async function fingerprintOf(path: string): Promise<string> {
  const pem = await Deno.readTextFile(path);
  const der = Uint8Array.fromBase64(pem.replace(/-----[^-]*-----|\s/g, ""));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", der)).toHex();
}
