/**
 * A display that exists only as a moving test picture: any mode, no desktop, input taken and counted.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import {
  MODE_HEIGHT_MAX,
  MODE_HEIGHT_MIN,
  MODE_WIDTH_MAX,
  MODE_WIDTH_MIN,
  REFRESH_MILLIHZ_MAX,
  REFRESH_MILLIHZ_MIN,
} from "../lib/limits.ts";
import type { InputSink } from "../input/ports.ts";
import type { VideoSourceSpec } from "../media/ports.ts";
import type { MotionScript } from "../media/sources/motion_schedule.ts";
import type { InputEvent, PadEvent } from "../protocol/input_event.ts";
import type { BackendState, DisplayBackend, DisplayMode, VirtualDisplay } from "./ports.ts";

export type SyntheticContent = Extract<VideoSourceSpec, { kind: "synthetic" }>["content"];

/** Every display shows `content`, and moves as `script` says. */
export function openSyntheticDisplayBackend(
  content: SyntheticContent = "motion",
  script?: MotionScript,
): DisplayBackend {
  return new SyntheticDisplayBackend({ content, ...(script === undefined ? {} : { script }) });
}

type Shown = Pick<Extract<VideoSourceSpec, { kind: "synthetic" }>, "content" | "script">;

class SyntheticDisplayBackend implements DisplayBackend {
  readonly id = "synthetic";
  readonly label = "Test picture";
  readonly #shown: Shown;
  #created = 0;

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  probe(): Promise<BackendState> {
    return Promise.resolve({ isAvailable: true, reason: "The test picture needs no desktop" });
  }

  createDisplay(mode: DisplayMode): Promise<VirtualDisplay> {
    const { widthPixels, heightPixels, refreshMilliHz } = mode;
    const isPossible = isWithin(widthPixels, MODE_WIDTH_MIN, MODE_WIDTH_MAX) &&
      isWithin(heightPixels, MODE_HEIGHT_MIN, MODE_HEIGHT_MAX) &&
      isWithin(refreshMilliHz, REFRESH_MILLIHZ_MIN, REFRESH_MILLIHZ_MAX);
    if (!isPossible) {
      const shape = `${widthPixels}x${heightPixels} at ${refreshMilliHz} mHz`;
      return Promise.reject(
        new OperationError("failed", `Cannot make a test picture: no such mode, ${shape}`),
      );
    }
    this.#created++;
    const name = `SYNTHETIC-${this.#created}`;
    return Promise.resolve(new SyntheticDisplay(mode, { name, shown: this.#shown }));
  }

  recover(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}

class SyntheticDisplay implements VirtualDisplay {
  readonly mode: DisplayMode;
  readonly name: string;
  readonly videoSource: VideoSourceSpec;
  #isClosed = false;

  constructor(
    { widthPixels, heightPixels, refreshMilliHz }: DisplayMode,
    { name, shown }: { readonly name: string; readonly shown: Shown },
  ) {
    this.mode = { widthPixels, heightPixels, refreshMilliHz };
    this.name = name;
    this.videoSource = { kind: "synthetic", ...this.mode, ...shown };
  }

  openInput(): Promise<InputSink> {
    if (this.#isClosed) {
      return Promise.reject(
        new OperationError("failed", `Cannot open input of ${this.name}: it is closed`),
      );
    }
    return Promise.resolve(new CountingInputSink());
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Takes every kind of event and counts them by kind. */
export class CountingInputSink implements InputSink {
  readonly #counts = new Map<InputEvent["kind"], number>();
  #isClosed = false;

  get description(): string {
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    return `synthetic, ${total} events`;
  }

  can(): boolean {
    return true;
  }

  inject(event: Exclude<InputEvent, PadEvent>): void {
    if (this.#isClosed) {
      throw new OperationError("unavailable", "Cannot take an event: the input is closed");
    }
    this.#counts.set(event.kind, this.count(event.kind) + 1);
  }

  count(kind: InputEvent["kind"]): number {
    return this.#counts.get(kind) ?? 0;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
