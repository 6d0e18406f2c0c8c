/**
 * The process's log: every event goes to the ring from DEBUG up, and to the console when the filter lets it through.
 *
 *     text   2026-07-03T20:14:03.120Z INFO session.start client=ab12 width=1920
 *     json   {"@timestamp":"…","level":"INFO","message":"session.start","logger":"session","client":"ab12","width":1920}
 *
 * @module
 */
import {
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogLevel as LogtapeLevel,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import type { LogFields, Logger } from "../lib/logger.ts";
import { LogFilter } from "./filter.ts";
import { type LogLevel, LogRing } from "./ring.ts";
import { scrubField, scrubText } from "./scrub.ts";

export interface LogOptions {
  readonly filter: LogFilter;
  readonly format: "text" | "json";
  readonly hasColor: boolean;
  readonly wallMs: () => number;
  /** Takes one line with its newline. Must not throw. */
  readonly write: (line: string) => void;
}

export interface Log {
  readonly logger: Logger;
  readonly ring: LogRing;
}

const LOGTAPE_LEVELS = {
  ERROR: "error",
  WARN: "warning",
  INFO: "info",
  DEBUG: "debug",
  TRACE: "trace",
} as const satisfies Record<LogLevel, LogtapeLevel>;

export function openLog(options: LogOptions): Log {
  const ring = new LogRing();
  const format = options.format === "json"
    ? getJsonLinesFormatter({ properties: "flatten" })
    : textFormatter(options.hasColor);

  const emit = (level: LogLevel, event: string, fields: LogFields = {}) => {
    const target = event.split(".", 1)[0] ?? event;
    const properties: Record<string, string | number | boolean> = {};
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) properties[name] = scrubField(name, value);
    }
    const record: LogRecord = {
      category: [target],
      level: LOGTAPE_LEVELS[level],
      message: [scrubText(event)],
      rawMessage: event,
      timestamp: options.wallMs(),
      properties,
    };
    ring.push({ tsMs: record.timestamp, level, target, msg: lineOf(record) });
    if (options.filter.passes(level, target)) options.write(format(record));
  };

  return {
    ring,
    logger: {
      debug: (event, fields) => emit("DEBUG", event, fields),
      info: (event, fields) => emit("INFO", event, fields),
      warn: (event, fields) => emit("WARN", event, fields),
      error: (event, fields) => emit("ERROR", event, fields),
    },
  };
}

function textFormatter(hasColor: boolean): TextFormatter {
  const options = {
    timestamp: "rfc3339",
    level: (level: LogtapeLevel) => level === "warning" ? "WARN" : level.toUpperCase(),
    format: ({ timestamp, level, record }: {
      readonly timestamp: string | null;
      readonly level: string;
      readonly record: LogRecord;
    }) => `${timestamp} ${level} ${lineOf(record)}`,
  } as const;
  return hasColor ? getAnsiColorFormatter(options) : getTextFormatter(options);
}

/** The event, then its fields; a value that would be ambiguous is quoted as JSON. */
function lineOf(record: LogRecord): string {
  let line = String(record.message[0]);
  for (const [name, value] of Object.entries(record.properties)) {
    const text = String(value);
    line += ` ${name}=${text === "" || /[\s"=\\]/.test(text) ? JSON.stringify(text) : text}`;
  }
  return line;
}
