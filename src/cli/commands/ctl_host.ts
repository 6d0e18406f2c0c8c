/**
 * What the verbs of `ctl` share: the running host, and tables of what it answers.
 *
 * @module
 */
import { scrubText } from "../../log/scrub.ts";
import type { CliEnvironment } from "../environment.ts";
import {
  type ManagementClient,
  openManagementClient,
  readManagementAccess,
} from "../management_client.ts";

/** Call the host that runs on this machine. */
export async function withHost<T>(
  environment: CliEnvironment,
  use: (host: ManagementClient) => Promise<T>,
): Promise<T> {
  const access = await readManagementAccess(environment.directories().config);
  using host = await openManagementClient(access);
  return await use(host);
}

/** Rows under their heads, or nothing without rows. Names come from peers: they stay on their line. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  if (rows.length === 0) return [];
  const cells = [heads, ...rows].map((row) => row.map(scrubText));
  const widths = heads.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length))
  );
  return cells.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}
