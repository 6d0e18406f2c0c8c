/**
 * What the shipped executable costs beside the least that `deno compile` makes, both from the same runtime in the same
 * run: size, start to the first line, start to listening, memory while nothing happens.
 *
 * Wants what the executable's tests want, see tests/e2e/executable_lab.ts; without it says so and measures nothing.
 *
 * @module
 */
import { ExecutableLab, findPair } from "../e2e/executable_lab.ts";
import { type BenchRow } from "./bench.ts";

const ROUNDS = 9;

interface Sample {
  readonly us: number;
  readonly rssBytes: number;
}

/** What tells that a program has started. */
interface Sign {
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

/** Start `command`, wait for `sign`, read its memory, end it. */
async function startOnce(
  command: readonly string[],
  { stream, line, env }: Sign & { readonly env: Readonly<Record<string, string>> },
): Promise<Sample> {
  const [program = "", ...args] = command;
  const from = performance.now();
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: stream === "stdout" ? "piped" : "null",
    stderr: stream === "stderr" ? "piped" : "null",
  }).spawn();
  const reader = child[stream].pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes(line)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot bench: "${command.join(" ")}" ended\n${text}`);
    text += value;
  }
  const us = (performance.now() - from) * 1000;
  const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
  const rssBytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  try {
    child.kill("SIGTERM");
  } catch {
    // `--version` has ended by itself.
  }
  await reader.cancel();
  await child.status;
  return { us, rssBytes };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Rows in microseconds; sizes and memory stand in the names. */
export async function benchExecutable(): Promise<BenchRow[]> {
  const pair = await findPair();
  if (typeof pair === "string") {
    console.log(`The executable is not measured: ${pair}`);
    return [];
  }
  await using lab = await ExecutableLab.compile(pair);
  const hello = await lab.compileChild("tests/bench/executable_hello.ts", []);
  const { env } = await lab.home();
  const samples = { hello: [] as Sample[], version: [] as Sample[], serve: [] as Sample[] };
  const host = lab.executable;
  const serve = [
    host,
    "serve",
    "--source",
    "synthetic",
    "--no-mdns",
    "--native-port",
    "0",
    "--mgmt-bind",
    "127.0.0.1:0",
  ];
  const listening = { stream: "stderr", line: "Management API listens", env } as const;
  await startOnce(serve, listening); // mints the identities
  for (let round = 0; round < ROUNDS; round++) {
    samples.hello.push(await startOnce([hello], { stream: "stdout", line: "hello", env }));
    samples.version.push(
      await startOnce([host, "--version"], { stream: "stdout", line: "punktfunk-host", env }),
    );
    samples.serve.push(await startOnce(serve, listening));
  }
  const us = (list: readonly Sample[]) => median(list.map((one) => one.us));
  const rss = (list: readonly Sample[]) => megabytes(median(list.map((one) => one.rssBytes)));
  const size = async (path: string) => megabytes((await Deno.stat(path)).size);
  const row = (name: string, p50Us: number): BenchRow => ({
    group: "executable start",
    name,
    p50Us,
    p99Us: null,
    gigabytesPerSecond: null,
    ratio: p50Us / us(samples.hello),
  });
  return [
    row(`bare hello (${await size(hello)}, idle RSS ${rss(samples.hello)})`, us(samples.hello)),
    row(`--version (${await size(host)})`, us(samples.version)),
    row(`serve to listening (idle RSS ${rss(samples.serve)})`, us(samples.serve)),
  ];
}
