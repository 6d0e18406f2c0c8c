/**
 * Virtual displays on Sway: a headless output of the client's exact mode beside the user's own screens.
 *
 * @module
 */
import { openWlrootsInput } from "../input/wlroots.ts";
import type { InputSink } from "../input/ports.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError, OperationError } from "../lib/errors.ts";
import {
  MODE_HEIGHT_MAX,
  MODE_HEIGHT_MIN,
  MODE_WIDTH_MAX,
  MODE_WIDTH_MIN,
  REFRESH_MILLIHZ_MAX,
  REFRESH_MILLIHZ_MIN,
} from "../lib/limits.ts";
import type { VideoSourceSpec } from "../media/ports.ts";
import type { BackendState, DisplayBackend, DisplayMode, VirtualDisplay } from "./ports.ts";
import { SwayIpc } from "./sway_ipc.ts";
import { type EnvironmentReader, findSway, type SwaySockets } from "./wayland_env.ts";
import { canRemoveOutputs, HeadlessOutputs, type OutputLease } from "./wlroots_outputs.ts";

const REMEDY = "Start Sway as this user, or set SWAYSOCK and WAYLAND_DISPLAY to its sockets";

export interface WlrootsBackendOptions {
  readonly environment: EnvironmentReader;
  readonly clock: Clock;
}

/** Opens nothing yet; each call looks for Sway anew, so that a restarted desktop is found. */
export function openWlrootsDisplayBackend(options: WlrootsBackendOptions): DisplayBackend {
  return new WlrootsBackend(options);
}

class WlrootsBackend implements DisplayBackend {
  readonly id = "wlroots";
  readonly label = "Sway / wlroots";
  readonly #options: WlrootsBackendOptions;

  constructor(options: WlrootsBackendOptions) {
    this.#options = options;
  }

  async probe(): Promise<BackendState> {
    try {
      const sockets = await this.#find();
      const version = await new SwayIpc(sockets.sway, this.#options.clock).version();
      const limit = canRemoveOutputs(version)
        ? ""
        : ", which cannot remove a virtual display, so one is kept for the next session";
      return { isAvailable: true, reason: `Sway ${version.text} runs at ${sockets.sway}${limit}` };
    } catch (error) {
      return { isAvailable: false, reason: describeError(error) };
    }
  }

  async createDisplay(mode: DisplayMode): Promise<VirtualDisplay> {
    requireMode(mode);
    const sockets = await this.#find();
    const outputs = new HeadlessOutputs(
      new SwayIpc(sockets.sway, this.#options.clock),
      this.#options.clock,
    );
    return new WlrootsDisplay(sockets, outputs, await outputs.acquire(mode));
  }

  async recover(): Promise<readonly string[]> {
    const search = await this.#search();
    // Without a Sway there are no outputs that could be left.
    if (!("sockets" in search)) return [];
    const ipc = new SwayIpc(search.sockets.sway, this.#options.clock);
    return await new HeadlessOutputs(ipc, this.#options.clock).recover();
  }

  #search(): ReturnType<typeof findSway> {
    return findSway(this.#options.environment, { uid: Deno.uid() ?? 0 });
  }

  async #find(): Promise<SwaySockets> {
    const search = await this.#search();
    if ("sockets" in search) return search.sockets;
    throw new OperationError("missing-compositor", `Cannot use Sway: ${search.reason}`, {
      remedy: REMEDY,
    });
  }
}

function requireMode({ widthPixels, heightPixels, refreshMilliHz }: DisplayMode): void {
  const isFit = isWithin(widthPixels, MODE_WIDTH_MIN, MODE_WIDTH_MAX) &&
    isWithin(heightPixels, MODE_HEIGHT_MIN, MODE_HEIGHT_MAX) &&
    isWithin(refreshMilliHz, REFRESH_MILLIHZ_MIN, REFRESH_MILLIHZ_MAX);
  if (isFit) return;
  throw new OperationError(
    "invalid",
    `Cannot create a display of ${widthPixels}x${heightPixels} at ${refreshMilliHz} mHz: outside the limits`,
  );
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

class WlrootsDisplay implements VirtualDisplay {
  readonly mode: DisplayMode;
  readonly name: string;
  readonly videoSource: VideoSourceSpec;
  readonly #sockets: SwaySockets;
  readonly #outputs: HeadlessOutputs;
  readonly #lease: OutputLease;
  #closing: Promise<void> | undefined;

  constructor(sockets: SwaySockets, outputs: HeadlessOutputs, lease: OutputLease) {
    this.#sockets = sockets;
    this.#outputs = outputs;
    this.#lease = lease;
    this.mode = lease.mode;
    this.name = lease.name;
    this.videoSource = {
      kind: "wlroots",
      socketPath: sockets.wayland,
      outputName: lease.name,
      hasCursor: true,
    };
  }

  openInput(): Promise<InputSink> {
    return openWlrootsInput({
      socketPath: this.#sockets.wayland,
      outputName: this.name,
      widthPixels: this.mode.widthPixels,
      heightPixels: this.mode.heightPixels,
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#outputs.release(this.#lease);
    } catch (error) {
      // The outputs went with their compositor.
      if (error instanceof OperationError && error.code === "missing-compositor") return;
      throw error;
    }
  }
}
