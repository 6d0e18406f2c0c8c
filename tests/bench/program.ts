/**
 * What the whole program costs before it streams: start of `--version` beside a bare Deno, start to listening, memory.
 *
 * @module
 */
import { type BenchRow } from "./bench.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const ROUNDS = 9;
const LISTENING_LINE = "Management API listens";

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function runOnce(args: readonly string[]): Promise<number> {
  const from = performance.now();
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdout: "null",
    stderr: "null",
  }).output();
  if (!output.success) throw new Error(`Cannot bench: "${args.join(" ")}" failed`);
  return (performance.now() - from) * 1000;
}

interface ServeRun {
  readonly listeningUs: number;
  readonly rssBytes: number;
}

/** Start the host on free ports with the synthetic picture, wait until it listens, read its memory, stop it. */
async function serveOnce(directory: string): Promise<ServeRun> {
  const from = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "main.ts", "serve", "--gamestream", "--no-mdns", "--source", "synthetic"],
      ...["--gamestream-port", "42989", "--mgmt-bind", "127.0.0.1:42990"],
      ...["--native-port", "42991"],
    ],
    cwd: ROOT,
    env: { PUNKTFUNK_CONFIG_DIR: directory },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!text.includes(LISTENING_LINE)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot bench the host: it ended\n${text}`);
    text += value;
  }
  const listeningUs = (performance.now() - from) * 1000;
  const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
  const rssBytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  child.kill("SIGTERM");
  await reader.cancel();
  await child.status;
  return { listeningUs, rssBytes };
}

/** Rows in microseconds; the memory row's figure is in its name. */
export async function benchProgram(): Promise<BenchRow[]> {
  const directory = await Deno.makeTempDir();
  try {
    const empty = `${directory}/empty.ts`;
    await Deno.writeTextFile(empty, "");
    const bare: number[] = [];
    const version: number[] = [];
    const runs: ServeRun[] = [];
    await serveOnce(directory); // mints the identities
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await runOnce(["run", "-A", empty]));
      version.push(await runOnce(["run", "-A", "main.ts", "--version"]));
      runs.push(await serveOnce(directory));
    }
    const bareUs = median(bare);
    const row = (name: string, p50Us: number): BenchRow => ({
      group: "program start",
      name,
      p50Us,
      p99Us: null,
      gigabytesPerSecond: null,
      ratio: p50Us / bareUs,
    });
    const rssMegabytes = median(runs.map((run) => run.rssBytes)) / 1e6;
    return [
      row("bare Deno", bareUs),
      row("--version", median(version)),
      row(
        `serve to listening (idle RSS ${rssMegabytes.toFixed(0)} MB)`,
        median(runs.map((run) => run.listeningUs)),
      ),
    ];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
