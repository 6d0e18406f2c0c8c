/**
 * What paces a synthetic source: CLOCK_MONOTONIC to read and to sleep by.
 *
 * @module
 */
export interface SourceTimer extends Disposable {
  nowUs(): number;
  /** Resolves once `nowUs()` has reached `deadlineUs`. */
  sleepUntil(deadlineUs: number): Promise<void>;
  close(): void;
}
