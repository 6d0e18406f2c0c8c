/**
 * Headless outputs of a Sway: made, given an exact mode, and taken away.
 *
 * Sway names a new output itself and does not say how, so the list before and after is compared under the journal's
 * lock. Sway 1.7 cannot remove one: there it is kept, and the next session takes it instead of making another.
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import { isRunning, thisProcess } from "../platform/process_identity.ts";
import type { DisplayMode } from "./ports.ts";
import { type SwayIpc, SwayRefusal } from "./sway_ipc.ts";
import type { SwayOutput } from "./sway_ipc_codec.ts";
import { type JournalledOutput, type OpenJournal, OutputJournal } from "./wlroots_journal.ts";

/** What Sway calls headless outputs; also what may stand in a command. */
const HEADLESS_NAME = /^HEADLESS-[0-9]{1,9}$/;
/** Connectors are called so; anything else is not put into a command. */
const PLAIN_NAME = /^[A-Za-z0-9._-]{1,63}$/;

/** Newer versions take a mode in their next turn rather than at once. */
const CHANGE_WAIT_STEPS = 100;
const CHANGE_WAIT_STEP_MS = 10;

export interface OutputLease {
  readonly name: string;
  /** What the compositor reports. */
  readonly mode: DisplayMode;
  /** The output that had the focus before. */
  readonly focusBefore: string | undefined;
}

export class HeadlessOutputs {
  readonly #ipc: SwayIpc;
  readonly #clock: Clock;
  readonly #journal: OutputJournal;

  constructor(ipc: SwayIpc, clock: Clock) {
    this.#ipc = ipc;
    this.#clock = clock;
    this.#journal = new OutputJournal(ipc.socketPath);
  }

  /** Make or take an output of exactly `mode`, right of all others and focused. After an error none is in use. */
  acquire(mode: DisplayMode): Promise<OutputLease> {
    return this.#journal.locked(async (journal) => {
      const before = await this.#ipc.outputs();
      const name = await this.#takeIdle(journal, before) ?? await this.#create(journal, before);
      try {
        await this.#configure(name, mode);
      } catch (error) {
        // The first error is the one to tell.
        await this.#release(journal, name).catch(() => {});
        throw error;
      }
      return { name, mode, focusBefore: before.find(({ isFocused }) => isFocused)?.name };
    });
  }

  /** Remove it, or keep it idle where that is impossible; focus what was focused before. */
  async release({ name, focusBefore }: OutputLease): Promise<void> {
    // Asked first: where the compositor is gone, so may be the directory of the journal.
    const outputs = await this.#ipc.outputs();
    const isFocused = outputs.some((one) => one.name === name && one.isFocused);
    if (isFocused && outputs.some((one) => one.name === focusBefore && one.isActive)) {
      await this.#focus(focusBefore ?? name);
    }
    await this.#journal.locked((journal) => this.#release(journal, name));
  }

  /** Release what hosts left that no longer run. Returns the names. */
  recover(): Promise<string[]> {
    return this.#journal.locked(async (journal) => {
      const recovered: string[] = [];
      for (const entry of journal.outputs) {
        if (entry.owner === null || await isRunning(entry.owner)) continue;
        const name = entry.name ?? onlyNewName(await this.#ipc.outputs(), entry.namesBefore);
        await journal.write(journal.outputs.filter((one) => one !== entry));
        if (name === undefined || isListed(journal, name)) continue;
        await journal.write([...journal.outputs, { name, namesBefore: [], owner: null }]);
        await this.#release(journal, name);
        recovered.push(name);
      }
      return recovered;
    });
  }

  async #takeIdle(
    journal: OpenJournal,
    outputs: readonly SwayOutput[],
  ): Promise<string | undefined> {
    const idle = journal.outputs.find(({ name, owner }) =>
      owner === null && outputs.some((output) => output.name === name)
    );
    if (idle === undefined) return undefined;
    const owner = await thisProcess();
    await journal.write(journal.outputs.map((one) => one === idle ? { ...one, owner } : one));
    return idle.name ?? undefined;
  }

  async #create(journal: OpenJournal, before: readonly SwayOutput[]): Promise<string> {
    const owner = await thisProcess();
    const namesBefore = before.map(({ name }) => name);
    const others = journal.outputs;
    await journal.write([...others, { name: null, namesBefore, owner }]);
    try {
      await this.#ipc.command("create_output");
      const name = await this.#waitFor((outputs) => onlyNewName(outputs, namesBefore));
      if (name === undefined) {
        throw new OperationError("failed", "Cannot find the output Sway made");
      }
      await journal.write([...others, { name, namesBefore: [], owner }]);
      return name;
    } catch (error) {
      await journal.write(others);
      throw error instanceof SwayRefusal
        ? new OperationError("unavailable", `Cannot create a virtual output: ${error.words}`, {
          remedy: "Sway must run with its headless backend, which it loads by itself since 1.2",
        })
        : error;
    }
  }

  async #configure(name: string, mode: DisplayMode): Promise<void> {
    const { widthPixels, heightPixels, refreshMilliHz } = mode;
    const size = `${widthPixels}x${heightPixels}@${(refreshMilliHz / 1000).toFixed(3)}Hz`;
    // Scale and transform too: a user's rule for all outputs must not change what the client sees. No position: Sway
    // puts new outputs right of the others by itself, but would move those others right of one that has a position.
    await this.#ipc.command(`output "${name}" mode --custom ${size} scale 1 transform normal`);
    const made = await this.#waitFor((outputs) => {
      const output = outputs.find((one) => one.name === name);
      return output?.mode?.widthPixels === widthPixels &&
          output.mode.heightPixels === heightPixels &&
          output.mode.refreshMilliHz === refreshMilliHz
        ? output
        : undefined;
    });
    if (made === undefined) {
      throw new OperationError("failed", `Cannot give ${name} the mode ${size}: Sway made another`);
    }
    await this.#focus(name);
  }

  async #focus(name: string): Promise<void> {
    if (PLAIN_NAME.test(name)) await this.#ipc.command(`focus output "${name}"`);
  }

  /** Take the output away and strike it from the journal, or leave it there as idle. */
  async #release(journal: OpenJournal, name: string): Promise<void> {
    const others = journal.outputs.filter((one) => one.name !== name);
    const hasGone = await this.#unplug(name);
    await journal.write(hasGone ? others : [...others, { name, namesBefore: [], owner: null }]);
  }

  /** False when it stays: Sway cannot remove it, or nothing else would be left to show the desktop on. */
  async #unplug(name: string): Promise<boolean> {
    const outputs = await this.#ipc.outputs();
    if (!outputs.some((one) => one.name === name)) return true;
    if (!outputs.some((one) => one.isActive && one.name !== name)) return false;
    try {
      await this.#ipc.command(`output "${name}" unplug`);
    } catch (error) {
      if (error instanceof SwayRefusal) return false;
      throw error;
    }
    const hasGone = await this.#waitFor((list) =>
      list.some((one) => one.name === name) ? undefined : true
    );
    return hasGone === true;
  }

  /** Ask for the outputs until `find` finds something in them, for a second at most. */
  async #waitFor<T>(
    find: (outputs: readonly SwayOutput[]) => T | undefined,
  ): Promise<T | undefined> {
    for (let step = 0; step < CHANGE_WAIT_STEPS; step++) {
      const found = find(await this.#ipc.outputs());
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#clock.after(CHANGE_WAIT_STEP_MS, resolve));
    }
    return undefined;
  }
}

/** The one headless output that was not there before; undefined also when several are, for one may be another's. */
function onlyNewName(
  outputs: readonly SwayOutput[],
  namesBefore: readonly string[],
): string | undefined {
  const names = outputs.map(({ name }) => name).filter((name) =>
    HEADLESS_NAME.test(name) && !namesBefore.includes(name)
  );
  return names.length === 1 ? names[0] : undefined;
}

function isListed(journal: OpenJournal, name: string): boolean {
  return journal.outputs.some((one: JournalledOutput) => one.name === name);
}

/** Whether a version of Sway can remove a headless output. */
export function canRemoveOutputs(
  version: { readonly major: number; readonly minor: number },
): boolean {
  return version.major > 1 || version.minor >= 8;
}
