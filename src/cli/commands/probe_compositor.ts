/**
 * `probe-compositor`: whether a virtual display could be created now (product specification 1.6).
 *
 * @module
 */
import { chooseDisplayBackend } from "../../display/registry.ts";
import { OperationError } from "../../lib/errors.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";

export const run: CommandRun<JsonFlag> = async (environment) => {
  const { backend, reason } = await chooseDisplayBackend({
    source: "auto",
    env: environment.env,
    directories: environment.directories(),
  });
  if (backend.id === "synthetic") {
    throw new OperationError("missing-compositor", `Cannot create a virtual display: ${reason}`);
  }
  const name = backend.id.charAt(0).toUpperCase() + backend.id.slice(1);
  return { text: `${name} ready`, data: { backend: backend.id, label: backend.label, reason } };
};
