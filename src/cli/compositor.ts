/**
 * The compositor of this session, for the commands that prove something about it.
 *
 * @module
 */
import type { DisplayBackend } from "../display/ports.ts";
import { listDisplayBackends } from "../display/registry.ts";
import { OperationError } from "../lib/errors.ts";
import type { CliEnvironment } from "./environment.ts";

/**
 * The first backend that could make a display of a real desktop now. Throws OperationError "missing-compositor" with
 * every backend's reason when none could: the synthetic picture proves nothing here.
 */
export async function requireCompositor(environment: CliEnvironment): Promise<DisplayBackend> {
  const backends = await listDisplayBackends({
    environment: environment.env,
    clock: await environment.openClock(),
  });
  const reasons: string[] = [];
  for (const backend of backends) {
    if (backend.id === "synthetic") continue;
    const { isAvailable, reason } = await backend.probe();
    if (isAvailable) return backend;
    reasons.push(reason);
  }
  throw new OperationError(
    "missing-compositor",
    `Cannot create a virtual display: ${reasons.join("; ")}`,
  );
}
