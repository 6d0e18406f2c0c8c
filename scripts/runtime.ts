/**
 * The Deno this program is made with, and the bare runtime (`denort`) that `deno compile` puts in front of it.
 *
 * The number stands here alone; a test compares the documents and the CI script with it.
 *
 * @module
 */
import { findTarget, type Target } from "./targets.ts";

/** The program is written for, tested on and shipped with this release. */
export const DENO_VERSION = "2.9.6";

/** The newest release whose runtime a package registry has. An executable made with it serves everything but GameStream. */
export const DENO_VERSION_FALLBACK = "2.7.14";

const DOWNLOAD_HOST = "dl.deno.land";
const DOWNLOAD_TIMEOUT_MS = 10_000;

/** Throws when the program is not made with Deno `version`. */
export function requireDenoVersion(version: string): void {
  if (version === DENO_VERSION || version === DENO_VERSION_FALLBACK) return;
  throw new Error(
    `Cannot compile with Deno ${version}: the program is made with ${DENO_VERSION}. ` +
      `Run \`npx -y deno@${DENO_VERSION} task compile\``,
  );
}

/** The target an executable file is for, from its first bytes; undefined for any other file. */
export function targetOfExecutable(head: Uint8Array): Target | undefined {
  if (head.byteLength < 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.getUint32(0) === 0x7f454c46) {
    const machine = view.getUint16(18, true);
    if (machine === 62) return findTarget("x86_64-unknown-linux-gnu");
    return machine === 183 ? findTarget("aarch64-unknown-linux-gnu") : undefined;
  }
  if (view.getUint16(0) !== 0x4d5a) return undefined;
  const header = view.getUint32(60, true);
  if (header + 6 > head.byteLength || view.getUint32(header) !== 0x50450000) return undefined;
  return view.getUint16(header + 4, true) === 0x8664
    ? findTarget("x86_64-pc-windows-msvc")
    : undefined;
}

/** Throws, saying what to do, when there is no runtime for `target`: neither `given`, nor kept, nor to be fetched. */
export async function requireRuntime(
  target: Target,
  options: { readonly given: string | undefined; readonly denoDirectory: string },
): Promise<void> {
  if (options.given !== undefined) return await requireGivenRuntime(target, options.given);
  const path = `release/v${Deno.version.deno}/denort-${target.name}.zip`;
  if (await isFile(`${options.denoDirectory}/dl/${path}`)) return;
  const url = `https://${DOWNLOAD_HOST}/${path}`;
  try {
    const signal = AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS);
    const answer = await fetch(url, { method: "HEAD", signal });
    if (answer.ok) return;
    throw new Error(`it answers ${answer.status}`);
  } catch (error) {
    throw new Error(
      `Cannot fetch the runtime from ${DOWNLOAD_HOST}: ${describeReason(error)}. ` +
        `Fetch ${url} where that can be reached, unpack it, and name the file with DENORT_BIN`,
    );
  }
}

async function requireGivenRuntime(target: Target, path: string): Promise<void> {
  const head = new Uint8Array(4096);
  let found: Target | undefined;
  try {
    using file = await Deno.open(path);
    found = targetOfExecutable(head.subarray(0, await file.read(head) ?? 0));
  } catch {
    throw new Error(`Cannot use DENORT_BIN: ${path} cannot be read`);
  }
  if (found === target) return;
  throw new Error(
    `Cannot use DENORT_BIN: ${path} is ${
      found === undefined ? "no runtime of a known target" : `a runtime for ${found.name}`
    }, this is compiled for ${target.name}`,
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** The innermost reason in a few words: what wraps it repeats the address. */
function describeReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer in ${DOWNLOAD_TIMEOUT_MS / 1000} s`;
  if (error.cause instanceof Error) return describeReason(error.cause);
  return error.message.split(": ").at(-1) ?? error.message;
}
