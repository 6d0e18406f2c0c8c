/**
 * What a part that logs is given. Events carry fields; peer content and secrets never appear in either.
 *
 * Logs are made in planes, session and host only; codecs and ports throw instead.
 *
 * @module
 */

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** `event` is a dotted name such as "session.start". */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** For tests and for parts that run without one. */
export const SILENT_LOGGER: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};
