/**
 * The main isolate's end of a pump Worker.
 *
 *     startPump → Worker(start) → ready | OperationError
 *     post(…)                                            any time in between
 *     close()   → Worker(stop) → ended → gone, or terminated after STOP_TIMEOUT_MS
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import { OperationError, type OperationErrorCode } from "../../lib/errors.ts";
import type { ProbeTotals } from "../../protocol/punktfunk1/probe_train.ts";
import type { PumpCommand, PumpReport, PumpStats, SentUnit, SoundPacket } from "./messages.ts";

const READY_TIMEOUT_MS = 10_000;
/** Longer than one encode and one wait for a picture together. */
const STOP_TIMEOUT_MS = 2_000;

export interface PumpObserver {
  onFirstPacket?(): void;
  onStats?(stats: PumpStats): void;
  onUnit?(unit: SentUnit): void;
  onSound?(packet: SoundPacket): void;
  onProbed?(totals: ProbeTotals): void;
  /** The pump did all it was started for; `close` is still to be called. Without this, an end is a failure. */
  onFinished?(): void;
  /** The pump ended by itself; `close` is still to be called. */
  onFailed?(error: OperationError): void;
}

export interface PumpOptions {
  readonly clock: Clock;
  readonly observer: PumpObserver;
}

export class PumpHandle<Spec> implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #options: PumpOptions;
  readonly #ended = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<string>();
  #isReady = false;
  #isClosing = false;
  #isGone = false;
  #stats: PumpStats | undefined;

  private constructor(worker: Worker, options: PumpOptions) {
    this.#worker = worker;
    this.#options = options;
    worker.onmessage = (event: MessageEvent<PumpReport>) => this.#take(event.data);
    worker.onerror = (event: ErrorEvent) => {
      event.preventDefault();
      this.#gone(new OperationError("failed", `Cannot go on with a media pump: ${event.message}`));
    };
  }

  /** Start `worker` on `spec`; resolves when its parts are open. Throws what stopped it from opening them. */
  static async start<Spec>(
    worker: Worker,
    spec: Spec,
    options: PumpOptions,
  ): Promise<PumpHandle<Spec>> {
    const handle = new PumpHandle<Spec>(worker, options);
    const timer = options.clock.after(
      READY_TIMEOUT_MS,
      () =>
        handle.#gone(new OperationError("failed", "Cannot start a media pump: it does not answer")),
    );
    handle.post({ kind: "start", spec });
    try {
      await handle.#ready.promise;
      return handle;
    } catch (error) {
      worker.terminate();
      throw error;
    } finally {
      timer.cancel();
    }
  }

  /** Parts in use, once started. */
  get description(): Promise<string> {
    return this.#ready.promise;
  }

  get stats(): PumpStats | undefined {
    return this.#stats;
  }

  post(command: PumpCommand<Spec>): void {
    if (!this.#isGone) this.#worker.postMessage(command);
  }

  /** Stop, wait until everything the pump opened is closed, and forget the Worker. Twice is legal. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.post({ kind: "stop" });
    const timer = this.#options.clock.after(STOP_TIMEOUT_MS, () => this.#ended.resolve());
    await this.#ended.promise;
    timer.cancel();
    this.#isGone = true;
    this.#worker.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(report: PumpReport): void {
    const { observer } = this.#options;
    switch (report.kind) {
      case "ready":
        this.#isReady = true;
        this.#ready.resolve(report.description);
        break;
      case "first-packet":
        observer.onFirstPacket?.();
        break;
      case "unit":
        observer.onUnit?.(report.unit);
        break;
      case "probed":
        observer.onProbed?.(report.totals);
        break;
      case "sound":
        observer.onSound?.(report.packet);
        break;
      case "stats":
        this.#stats = report.stats;
        observer.onStats?.(report.stats);
        break;
      case "ended":
        this.#stats = report.stats;
        this.#gone(
          report.error === undefined ? undefined : new OperationError(
            report.error.code as OperationErrorCode,
            report.error.message,
          ),
        );
        break;
    }
  }

  #gone(error: OperationError | undefined): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#ended.resolve();
    if (!this.#isReady) {
      this.#ready.reject(
        error ?? new OperationError("failed", "Cannot start a media pump: it was stopped"),
      );
    } else if (!this.#isClosing) {
      const { observer } = this.#options;
      if (error === undefined && observer.onFinished !== undefined) observer.onFinished();
      else {
        observer.onFailed?.(
          error ?? new OperationError("failed", "Cannot go on with a media pump: it stopped"),
        );
      }
    }
  }
}
