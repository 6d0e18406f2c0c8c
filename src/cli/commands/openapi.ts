/**
 * `openapi`: the document exactly as a running host serves it.
 *
 * @module
 */
import { createApi, describeApi } from "../../../api/app.ts";
import type { HostFacade } from "../../../api/host_facade.ts";
import { SILENT_LOGGER } from "../../lib/logger.ts";
import type { CommandRun } from "../environment.ts";

/** Stands where a host would: describing the routes calls none of them. */
const NO_HOST = {} as HostFacade;

export const run: CommandRun<Record<never, never>> = () => {
  const app = createApi({ facade: NO_HOST, token: "", logger: SILENT_LOGGER });
  const { json, text } = describeApi(app);
  return Promise.resolve({ text, data: json });
};
