/**
 * `list-monitors`: the heads of this desktop by connector (product specification 1.6).
 *
 * @module
 */
import { describeMonitors, listSwayMonitors } from "../../display/monitors.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";

export const run: CommandRun<JsonFlag> = async (environment) => {
  const clock = await environment.openClock();
  const monitors = await listSwayMonitors({ environment: environment.env, clock });
  return { text: describeMonitors("Wlroots", monitors), data: { backend: "wlroots", monitors } };
};
