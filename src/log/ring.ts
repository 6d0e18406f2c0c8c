/**
 * The newest log lines, kept in memory for `GET /logs` whatever the console's filter says (product specification 10).
 *
 * @module
 */

export type LogLevel = "ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE";

export const LOG_RING_LINES_MAX = 4096;
/** UTF-8 bytes of `msg`; a longer one is cut at a character and ends in "…". */
export const LOG_LINE_BYTES_MAX = 2048;

export interface LogEntry {
  /** 1 for the first line of the process, then one more for each. */
  readonly seq: number;
  /** Milliseconds since 1970, UTC. */
  readonly tsMs: number;
  readonly level: LogLevel;
  /** The part of the event in front of its first dot, e.g. "session". */
  readonly target: string;
  /** The event, then its fields as key=value. */
  readonly msg: string;
}

export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** Pass as `after` to read on. */
  readonly next: number;
  /** True when lines after the cursor were overwritten before they could be read. */
  readonly dropped: boolean;
}

/** What the management API reads from. */
export interface LogReader {
  /** At most `limit` lines whose seq is greater than `after`, oldest first. */
  read(after: number, limit: number): LogPage;
}

export class LogRing implements LogReader {
  readonly #entries: LogEntry[] = [];
  #seq = 0;

  push(line: Omit<LogEntry, "seq">): void {
    const entry = { ...line, seq: ++this.#seq, msg: cutToBytes(line.msg, LOG_LINE_BYTES_MAX) };
    this.#entries[(entry.seq - 1) % LOG_RING_LINES_MAX] = entry;
  }

  read(after: number, limit: number): LogPage {
    const oldest = Math.max(1, this.#seq - LOG_RING_LINES_MAX + 1);
    const first = Math.max(after + 1, oldest);
    const last = Math.min(this.#seq, first + limit - 1);
    const entries: LogEntry[] = [];
    for (let seq = first; seq <= last; seq++) {
      const entry = this.#entries[(seq - 1) % LOG_RING_LINES_MAX];
      if (entry !== undefined) entries.push(entry);
    }
    // A cursor from before a restart lies ahead of every line: it starts over instead of waiting for ever.
    if (after > this.#seq) return { ...this.read(0, limit), dropped: true };
    return { entries, next: entries.at(-1)?.seq ?? after, dropped: after + 1 < oldest };
  }
}

function cutToBytes(text: string, sizeBytesMax: number): string {
  // No code unit takes more than three bytes, so most lines need no encoding to be known short.
  if (text.length * 3 <= sizeBytesMax) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.byteLength <= sizeBytesMax) return text;
  let end = sizeBytesMax - 3;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}…`;
}
