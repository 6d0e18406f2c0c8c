/**
 * What GameStream clients can start (product specification 7.1): "Desktop", or the rows of `apps.json` in its place.
 *
 *     [{ "id"?: 1 … 2^31-1, "title": text, "compositor"?: text, "cmd"?: shell line }, …]
 *
 * A row without `id` gets one from its title, so that editing one row renumbers no other: clients keep pictures and pins
 * by id for ever. An empty or damaged file means "Desktop".
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { readFileIfPresent } from "../store/file.ts";

export interface App {
  /** Positive, 31 bits, unique. */
  readonly id: number;
  readonly title: string;
  /** Name of the compositor to run it in, where the file says so. */
  readonly compositor: string | undefined;
  /** Shell line to start, or undefined to show what is there. */
  readonly command: string | undefined;
}

export interface OpenedApps {
  /** At least one. */
  readonly apps: readonly App[];
  /** What a person should know, as one sentence without a full stop. */
  readonly notice: string | undefined;
}

export const APPS_MAX = 512;
export const APP_TITLE_CHARACTERS_MAX = 128;
const APP_ID_MAX = 2 ** 31 - 1;
const TEXT_CHARACTERS_MAX = 4096;

const DESKTOP: App = { id: 1, title: "Desktop", compositor: undefined, command: undefined };

/** Read `apps.json` in `directory`. The file belongs to the user: it is never changed or moved. */
export async function openApps(directory: string): Promise<OpenedApps> {
  const path = `${directory}/apps.json`;
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) return { apps: [DESKTOP], notice: undefined };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const apps = parseApps(text.trim() === "" ? [] : JSON.parse(text));
    return { apps: apps.length === 0 ? [DESKTOP] : apps, notice: undefined };
  } catch (error) {
    const reason = error instanceof RowError ? error.message : "it is no JSON";
    const notice = `${path} is not used, only Desktop is offered: ${reason}`;
    return { apps: [DESKTOP], notice };
  }
}

/** A row that cannot be used; the text says which and why. */
class RowError extends Error {}

function parseApps(json: unknown): App[] {
  if (!Array.isArray(json)) throw new RowError("it is no list");
  if (json.length > APPS_MAX) throw new RowError(`it has more than ${APPS_MAX} rows`);
  const rows = json.map(parseRow);
  const taken = new Set<number>();
  for (const { id } of rows) {
    if (id === undefined) continue;
    if (taken.has(id)) throw new RowError(`id ${id} stands twice`);
    taken.add(id);
  }
  return rows.map((row) => {
    const id = row.id ?? nextFreeId(idOfTitle(row.title), taken);
    taken.add(id);
    return { ...row, id };
  });
}

function parseRow(json: unknown, index: number) {
  const row = `row ${index + 1}`;
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new RowError(`${row} is no object`);
  }
  const { id, title, compositor, cmd } = json as Record<string, unknown>;
  if (typeof title !== "string" || !isTitle(title)) {
    throw new RowError(`${row} has no title of 1 to ${APP_TITLE_CHARACTERS_MAX} characters`);
  }
  if (id !== undefined && !isAppId(id)) {
    throw new RowError(`${row} has an id outside 1 to ${APP_ID_MAX}`);
  }
  return {
    id,
    title,
    compositor: parseText(compositor, `${row} has a compositor that is no text`),
    command: parseText(cmd, `${row} has a cmd that is no text`),
  };
}

function isTitle(text: string): boolean {
  return text.trim() !== "" && [...text].length <= APP_TITLE_CHARACTERS_MAX &&
    !/\p{Cc}/u.test(text);
}

function isAppId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= APP_ID_MAX;
}

function parseText(value: unknown, fault: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string" || value.length > TEXT_CHARACTERS_MAX || value.includes("\0")) {
    throw new RowError(fault);
  }
  return value;
}

/** CRC-32 folded to a positive 31-bit number. */
function idOfTitle(title: string): number {
  return Math.max(1, crc32(title) & APP_ID_MAX);
}

function nextFreeId(wanted: number, taken: ReadonlySet<number>): number {
  let id = wanted;
  while (taken.has(id)) id = id === APP_ID_MAX ? 1 : id + 1;
  return id;
}
