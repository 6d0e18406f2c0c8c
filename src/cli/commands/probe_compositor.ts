/**
 * `probe-compositor`: whether a virtual display could be created now (product specification 1.6).
 *
 * @module
 */
import { requireCompositor } from "../compositor.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";

export const run: CommandRun<JsonFlag> = async (environment) => {
  const { id, label } = await requireCompositor(environment);
  const name = id.charAt(0).toUpperCase() + id.slice(1);
  return { text: `${name} ready`, data: { backend: id, label } };
};
