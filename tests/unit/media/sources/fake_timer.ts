/**
 * A timer whose clock stands still until somebody sleeps: sleeping takes exactly as long as asked for.
 *
 * @module
 */
import type { SourceTimer } from "../../../../src/media/sources/timer.ts";

export class FakeTimer implements SourceTimer {
  now = 1_000_000;
  isClosed = false;

  nowUs(): number {
    return this.now;
  }

  sleepUntil(deadlineUs: number): Promise<void> {
    this.now = Math.max(this.now, deadlineUs);
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
