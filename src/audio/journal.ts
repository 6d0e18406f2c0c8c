/**
 * What a killed host leaves changed: which default sinks it replaced. Written before the change, removed after the
 * undoing (product specification 2.1, state that must survive a crash).
 *
 * @module
 */
import type { ProcessIdentity } from "../platform/process_identity.ts";
import {
  ensurePrivateDirectory,
  keepDamagedFile,
  readFileIfPresent,
  writeFileAtomic,
} from "../store/file.ts";
import type { DefaultClaim } from "./pipewire_defaults.ts";

export interface JournalEntry {
  readonly owner: ProcessIdentity;
  readonly claims: readonly DefaultClaim[];
}

const CLAIMS_MAX = 64;

export class AudioJournal {
  readonly #directory: string;
  readonly #path: string;

  /** `directory` is made when first written to. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#path = `${directory}/audio-default.json`;
  }

  /** Undefined when nothing is to undo. A damaged file is set aside and counts as none. */
  async read(nowMs: number): Promise<JournalEntry | undefined> {
    const bytes = await readFileIfPresent(this.#path);
    if (bytes === undefined) return undefined;
    const entry = parseJournal(new TextDecoder().decode(bytes));
    if (entry === undefined) await keepDamagedFile(this.#path, nowMs);
    return entry;
  }

  async write(entry: JournalEntry): Promise<void> {
    await ensurePrivateDirectory(this.#directory);
    const json = JSON.stringify({ version: 1, ...entry });
    await writeFileAtomic(this.#path, new TextEncoder().encode(json + "\n"));
  }

  /** Twice is legal. */
  async remove(): Promise<void> {
    try {
      await Deno.remove(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function parseJournal(text: string): JournalEntry | undefined {
  try {
    const json = JSON.parse(text);
    const { processId, startTicks } = json.owner;
    const isWhole = json.version === 1 && Number.isSafeInteger(processId) &&
      Number.isSafeInteger(startTicks) && Array.isArray(json.claims) &&
      json.claims.length <= CLAIMS_MAX && json.claims.every(isClaim);
    return isWhole ? { owner: { processId, startTicks }, claims: json.claims } : undefined;
  } catch {
    return undefined;
  }
}

function isClaim(json: unknown): json is DefaultClaim {
  const claim = json as Partial<DefaultClaim> | null;
  return typeof claim?.sinkName === "string" &&
    (claim.replaced === null || typeof claim.replaced === "string");
}
