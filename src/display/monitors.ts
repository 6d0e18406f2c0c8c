/**
 * The heads of the desktop as the person sees them, ours among them (product specification 1.6).
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import type { DisplayMode } from "./ports.ts";
import { SwayIpc } from "./sway_ipc.ts";
import { type EnvironmentReader, findSway } from "./wayland_env.ts";
import { OutputJournal } from "./wlroots_journal.ts";

export interface Monitor {
  /** E.g. "DP-1". */
  readonly connector: string;
  /** Undefined while it is off. */
  readonly mode: DisplayMode | undefined;
  /** In the layout's logical pixels. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  /** "" when it tells nothing of itself. */
  readonly description: string;
  readonly isDisabled: boolean;
  /** Made by a host of ours. */
  readonly isVirtual: boolean;
  /** PUNKTFUNK_CAPTURE_MONITOR names it. */
  readonly isPinned: boolean;
}

/** The heads of this user's Sway, as it orders them. Throws OperationError "missing-compositor" or "unavailable". */
export async function listSwayMonitors(
  { environment, clock }: { readonly environment: EnvironmentReader; readonly clock: Clock },
): Promise<readonly Monitor[]> {
  const search = await findSway(environment, { uid: Deno.uid() ?? 0 });
  if (!("sockets" in search)) {
    throw new OperationError("missing-compositor", `Cannot list monitors: ${search.reason}`, {
      remedy: "Start Sway as this user, or set SWAYSOCK and WAYLAND_DISPLAY to its sockets",
    });
  }
  const { sway } = search.sockets;
  const outputs = await new SwayIpc(sway, clock).outputs();
  const virtual = await new OutputJournal(sway).names();
  const pinned = environment.get("PUNKTFUNK_CAPTURE_MONITOR")?.trim();
  return outputs.map(({ name, mode, x, y, scale, description, isActive }) => ({
    connector: name,
    mode,
    x,
    y,
    scale,
    description,
    isDisabled: !isActive,
    isVirtual: virtual.includes(name),
    isPinned: name === pinned,
  }));
}

/** The text of `list-monitors`: `backend`, then a line a head. */
export function describeMonitors(backend: string, monitors: readonly Monitor[]): string {
  if (monitors.length === 0) return `${backend}: no monitors`;
  return [`${backend}:`, ...monitors.map((monitor) => `  ${describeMonitor(monitor)}`)].join("\n");
}

function describeMonitor(monitor: Monitor): string {
  const { connector, mode, x, y, scale, description } = monitor;
  const tags = [
    ...(monitor.isDisabled ? ["disabled"] : []),
    ...(monitor.isVirtual ? ["punktfunk virtual display"] : []),
    ...(monitor.isPinned ? ["PINNED"] : []),
  ];
  return [
    connector,
    ...(mode === undefined
      ? []
      : [`${mode.widthPixels}x${mode.heightPixels}@${mode.refreshMilliHz / 1000}`]),
    `at ${signed(x)},${signed(y)}`,
    `scale ${scale}`,
    ...(description === "" ? [] : [description]),
    ...(tags.length === 0 ? [] : [`[${tags.join(", ")}]`]),
  ].join("  ");
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}
