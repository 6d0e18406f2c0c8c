/**
 * `licenses`: the notices that travel inside the executable.
 *
 * @module
 */
import { OperationError } from "../../lib/errors.ts";
import { readNotices } from "../build_info.ts";
import type { CommandRun } from "../environment.ts";

export const run: CommandRun<Record<never, never>> = async () => {
  const text = await readNotices();
  if (text !== undefined) return { text, data: null };
  throw new OperationError("not-found", "Cannot print the licences: nothing was compiled here", {
    remedy: "Make them with `deno run -A scripts/notices.ts`",
  });
};
