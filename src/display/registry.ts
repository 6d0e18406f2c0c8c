/**
 * Picks where displays come from and says why.
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import type { DisplayBackend } from "./ports.ts";
import type { EnvironmentReader } from "./wayland_env.ts";

export interface DisplayChoice {
  readonly backend: DisplayBackend;
  /** One sentence without a full stop. */
  readonly reason: string;
}

export interface DisplayChoiceOptions {
  /** The resolved setting `source`. "auto" leaves it to PUNKTFUNK_COMPOSITOR and to what runs here. */
  readonly source: "auto" | "synthetic" | "wlroots";
  readonly environment: EnvironmentReader;
  readonly clock: Clock;
}

/** What PUNKTFUNK_COMPOSITOR may say, and the source it stands for. */
const COMPOSITORS: ReadonlyMap<string, "synthetic" | "wlroots"> = new Map([
  ["wlroots", "wlroots"],
  ["sway", "wlroots"],
  ["synthetic", "synthetic"],
  ["software", "synthetic"],
]);

/**
 * The backend that was asked for, else the first that could make a display now, else the synthetic picture.
 * Throws OperationError "missing-compositor" when the one asked for cannot, "invalid" for a compositor unknown here.
 */
export async function chooseDisplayBackend(options: DisplayChoiceOptions): Promise<DisplayChoice> {
  const pin = pinOf(options);
  if (pin?.source === "synthetic") {
    return { backend: await openSynthetic(), reason: `${pin.by} asks for the synthetic picture` };
  }
  const { openWlrootsDisplayBackend } = await import("./wlroots.ts");
  const backend = openWlrootsDisplayBackend(options);
  const { isAvailable, reason } = Deno.build.os === "linux"
    ? await backend.probe()
    : { isAvailable: false, reason: `Sway does not exist on ${Deno.build.os}` };
  if (isAvailable) return { backend, reason };
  if (pin !== undefined) {
    throw new OperationError(
      "missing-compositor",
      `Cannot use ${backend.label}, as ${pin.by} asks: ${reason}`,
    );
  }
  return {
    backend: await openSynthetic(),
    reason: `The synthetic picture is shown, for no display backend is available: ${reason}`,
  };
}

/** Every backend there is, available or not. */
export async function listDisplayBackends(
  options: Omit<DisplayChoiceOptions, "source">,
): Promise<readonly DisplayBackend[]> {
  const { openWlrootsDisplayBackend } = await import("./wlroots.ts");
  return [openWlrootsDisplayBackend(options), await openSynthetic()];
}

/** What was asked for and where, or undefined. */
function pinOf(
  { source, environment }: DisplayChoiceOptions,
): { readonly source: "synthetic" | "wlroots"; readonly by: string } | undefined {
  if (source !== "auto") return { source, by: "the setting source" };
  const name = environment.get("PUNKTFUNK_COMPOSITOR")?.trim().toLowerCase() ?? "";
  if (name === "" || name === "auto") return undefined;
  const pinned = COMPOSITORS.get(name);
  if (pinned !== undefined) return { source: pinned, by: "PUNKTFUNK_COMPOSITOR" };
  throw new OperationError(
    "invalid",
    `Cannot use compositor "${name.slice(0, 40)}" from PUNKTFUNK_COMPOSITOR`,
    { remedy: `Set it to one of: ${[...COMPOSITORS.keys()].join(", ")}` },
  );
}

async function openSynthetic(): Promise<DisplayBackend> {
  const { openSyntheticDisplayBackend } = await import("./synthetic.ts");
  return openSyntheticDisplayBackend();
}
