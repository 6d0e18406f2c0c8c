/**
 * The one place that prints. Results go to stdout; help, failures and progress go to stderr, so that pipes stay clean.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";

/** The two streams and what is known of them. */
export interface Terminal {
  writeOut(text: string): void;
  writeErr(text: string): void;
  /** Whether a person watches stderr. */
  readonly isInteractive: boolean;
  /** Whether stderr may be coloured. */
  readonly hasColor: boolean;
}

/** What a command found out: `text` for people, `data` for programs. */
export interface CommandOutput {
  /** Printed as it is, with a newline at its end unless it is empty or has one. */
  readonly text: string;
  readonly data: unknown;
  /** 0 when absent. */
  readonly exitCode?: number;
}

export interface PrintOptions {
  readonly isJson: boolean;
  readonly wallMs: number;
}

export function openTerminal(env: { get(name: string): string | undefined }): Terminal {
  const isInteractive = Deno.stderr.isTerminal();
  return {
    writeOut: (text) => writeAll(Deno.stdout, text),
    writeErr: (text) => writeAll(Deno.stderr, text),
    isInteractive,
    // https://no-color.org: any value but the empty one counts.
    hasColor: isInteractive && !env.get("NO_COLOR") && env.get("TERM") !== "dumb",
  };
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let offset = 0; offset < bytes.byteLength;) {
      offset += stream.writeSync(bytes.subarray(offset));
    }
  } catch (error) {
    // Whoever read has read enough: `openapi | head` is no failure.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

export function printOutput(terminal: Terminal, output: CommandOutput, isJson: boolean): void {
  if (isJson) terminal.writeOut(`${JSON.stringify({ v: 1, data: output.data })}\n`);
  else if (output.text !== "") terminal.writeOut(output.text.replace(/\n?$/, "\n"));
}

export function printFailure(terminal: Terminal, error: unknown, options: PrintOptions): void {
  const message = describeChain(error);
  if (options.isJson) {
    const code = error instanceof OperationError ? error.code : "failed";
    terminal.writeOut(`${JSON.stringify({ v: 1, error: { code, message } })}\n`);
    return;
  }
  const level = terminal.hasColor ? "\x1b[31mERROR\x1b[0m" : "ERROR";
  terminal.writeErr(`${new Date(options.wallMs).toISOString()} ${level} ${message}\n`);
}

/** Replace the progress line; null removes it. Does nothing where nobody watches. */
export function printProgress(terminal: Terminal, text: string | null): void {
  if (terminal.isInteractive) terminal.writeErr(`\r\x1b[2K${text ?? ""}`);
}

/** What went wrong and why, outermost first, on one line; then what can be done about it. */
export function describeChain(error: unknown): string {
  const parts: string[] = [];
  let remedy: string | undefined;
  for (let one = error, depth = 0; one !== undefined && depth < 8; depth++) {
    const text = one instanceof Error ? one.message : String(one);
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    if (one instanceof OperationError) remedy ??= one.remedy;
    one = one instanceof Error ? one.cause : undefined;
  }
  const chain = parts.join(": ").replace(/\s+/g, " ");
  return remedy === undefined ? chain : `${chain}. ${remedy}`;
}
