/**
 * A display backend makes virtual displays of exactly the asked mode and takes them away again.
 *
 * Order: `probe` → `createDisplay` → (`VirtualDisplay.openInput`) → `close`, which removes the output, puts back what
 * was changed on real screens, and never leaves the desktop without an output. `close` twice is legal. Whatever
 * would outlive a killed host is written to the journal *before* it is made, and `recover` undoes it at the next start.
 *
 * @module
 */
import type { VideoSourceSpec } from "../media/ports.ts";
import type { InputSink } from "../input/ports.ts";

export interface DisplayMode {
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly refreshMilliHz: number;
}

export type DisplayBackendId = "synthetic" | "wlroots" | "mutter" | "kwin" | "gamescope";

export interface BackendState {
  readonly isAvailable: boolean;
  /** Why or why not, as one sentence; with the remedy where there is one. */
  readonly reason: string;
}

export interface VirtualDisplay extends AsyncDisposable {
  /** What the compositor made. A difference from the asked mode is the backend's error, not the caller's. */
  readonly mode: DisplayMode;
  /** The compositor's name for it, e.g. "HEADLESS-2". */
  readonly name: string;
  readonly videoSource: VideoSourceSpec;
  /** A sink whose absolute positions map onto this display only. Closed before the display. */
  openInput(): Promise<InputSink>;
  close(): Promise<void>;
}

export interface DisplayBackend {
  readonly id: DisplayBackendId;
  /** For people, e.g. "Sway / wlroots". */
  readonly label: string;
  /** Whether a display could be created now. Changes nothing, takes at most two seconds. */
  probe(): Promise<BackendState>;
  /** Throws OperationError: "missing-compositor", "unavailable" or "failed"; nothing is left behind then. */
  createDisplay(mode: DisplayMode): Promise<VirtualDisplay>;
  /** Remove displays that a killed host left. Returns their names. */
  recover(): Promise<readonly string[]>;
}
