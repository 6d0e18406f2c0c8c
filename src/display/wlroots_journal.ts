/**
 * Which outputs of one Sway are ours, kept beside its socket: Sway itself cannot tell, and they outlive a killed host.
 *
 *     $XDG_RUNTIME_DIR/punktfunk-host/<name of Sway's socket>.json   {"v":1,"outputs":[…]}
 *
 * Every change happens under a lock that other processes of this user obey, so that two hosts never take one output.
 *
 * @module
 */
import type { ProcessIdentity } from "../platform/process_identity.ts";
import { ensurePrivateDirectory, readFileIfPresent, writeFileAtomic } from "../store/file.ts";

/** An output of ours. */
export interface JournalledOutput {
  /** Null while it is being made: Sway chooses the name. */
  readonly name: string | null;
  /** While it is being made, the outputs that were there before. */
  readonly namesBefore: readonly string[];
  /** Who shows something on it; null when it waits for the next session. */
  readonly owner: ProcessIdentity | null;
}

/** The journal, while its lock is held. */
export interface OpenJournal {
  readonly outputs: readonly JournalledOutput[];
  /** Resolves once it is on disk. */
  write(outputs: readonly JournalledOutput[]): Promise<void>;
}

export class OutputJournal {
  readonly #directory: string;
  readonly #path: string;

  constructor(swaySocketPath: string) {
    const end = swaySocketPath.lastIndexOf("/");
    this.#directory = `${swaySocketPath.slice(0, end)}/punktfunk-host`;
    this.#path = `${this.#directory}/${swaySocketPath.slice(end + 1)}.json`;
  }

  /** Names of the outputs of ours, in use or idle; waits for no lock and makes nothing. */
  async names(): Promise<readonly string[]> {
    const outputs = parseJournal(await readFileIfPresent(this.#path));
    return outputs.flatMap(({ name }) => name === null ? [] : [name]);
  }

  /** Run `work` with the lock held. Throws what it throws, and OperationError "storage". */
  async locked<T>(work: (journal: OpenJournal) => Promise<T>): Promise<T> {
    await ensurePrivateDirectory(this.#directory);
    // The lock has a file of its own: the journal is replaced at each write.
    using lock = await Deno.open(`${this.#path}.lock`, { create: true, write: true, mode: 0o600 });
    await lock.lock(true);
    let outputs = parseJournal(await readFileIfPresent(this.#path));
    return await work({
      get outputs() {
        return outputs;
      },
      write: async (changed) => {
        const text = JSON.stringify({ v: 1, outputs: changed });
        await writeFileAtomic(this.#path, new TextEncoder().encode(text));
        outputs = changed;
      },
    });
  }
}

/** What cannot be understood names no output of ours. */
function parseJournal(bytes: Uint8Array | undefined): readonly JournalledOutput[] {
  if (bytes === undefined) return [];
  try {
    const { v, outputs } = JSON.parse(new TextDecoder().decode(bytes));
    return v === 1 && Array.isArray(outputs) ? outputs.filter(isJournalledOutput) : [];
  } catch {
    return [];
  }
}

function isJournalledOutput(value: unknown): value is JournalledOutput {
  if (typeof value !== "object" || value === null) return false;
  const { name, namesBefore, owner } = value as Record<string, unknown>;
  return (name === null || typeof name === "string") && Array.isArray(namesBefore) &&
    namesBefore.every((one) => typeof one === "string") && (owner === null || isIdentity(owner));
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null) return false;
  const { processId, startTicks } = value as Record<string, unknown>;
  return Number.isSafeInteger(processId) && Number.isSafeInteger(startTicks);
}
