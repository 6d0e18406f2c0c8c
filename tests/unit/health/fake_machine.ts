/**
 * A machine made of a table: what is not in it is not there.
 *
 * @module
 */
import type { FileFacts, Machine } from "../../../src/health/machine.ts";

export interface FakeEntry extends Partial<FileFacts> {
  readonly text?: string;
  readonly link?: string;
  readonly isWritable?: boolean;
  readonly freeBytes?: number;
}

export interface FakeMachineOptions {
  readonly userId?: number;
  readonly os?: string;
  readonly isClockSynchronised?: boolean;
}

/** `entries` by absolute path; the directories above each are there too. A text alone is a file with it. */
export function fakeMachine(
  entries: Readonly<Record<string, string | FakeEntry>> = {},
  { userId = 1000, os = "linux", isClockSynchronised }: FakeMachineOptions = {},
): Machine {
  const of = (path: string): FakeEntry | undefined => {
    const entry = entries[path];
    if (typeof entry === "string") return { kind: "file", text: entry };
    const isAbove = path === "/" || Object.keys(entries).some((one) => one.startsWith(`${path}/`));
    return entry ?? (isAbove ? { kind: "directory" } : undefined);
  };
  return {
    os,
    userId,
    readText: (path) => Promise.resolve(of(path)?.text),
    list: (path) => {
      const names = Object.keys(entries).filter((one) => one.startsWith(`${path}/`))
        .map((one) => one.slice(path.length + 1).split("/")[0] ?? "");
      return Promise.resolve([...new Set(names)]);
    },
    look: (path) => {
      const entry = of(path);
      const { kind = "file", mode = 0o755, groupId = userId } = entry ?? {};
      const facts = { kind, mode, userId: entry?.userId ?? userId, groupId };
      return Promise.resolve(entry === undefined ? undefined : facts);
    },
    readLink: (path) => Promise.resolve(of(path)?.link),
    canWrite: (path) => of(path)?.isWritable ?? of(path) !== undefined,
    freeBytes: (path) => Promise.resolve(of(path)?.freeBytes),
    isClockSynchronised: () => isClockSynchronised,
  };
}

/** Entries of /proc for one process. */
export function process(processId: number, name: string): Record<string, string> {
  return { [`/proc/${processId}/comm`]: `${name}\n` };
}
