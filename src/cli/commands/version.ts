/**
 * `version`: the one line of `--version`, and with `--verbose` what a report of a fault should say (product
 * specification 1).
 *
 * @module
 */
import { readShimAbi, SHIM_NAMES, type ShimName } from "../../../ffi/library.ts";
import { describeError } from "../../lib/errors.ts";
import { VERSION } from "../../lib/version.ts";
import { readCommit } from "../build_info.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";

export type VersionFlags = JsonFlag & { readonly verbose?: boolean };

type ShimFact =
  & { readonly name: ShimName }
  & ({ readonly abi: number } | { readonly error: string });

export const run: CommandRun<VersionFlags> = async (_environment, flags) => {
  const line = `punktfunk-host ${VERSION}`;
  if (flags.verbose !== true && flags.json !== true) return { text: line, data: null };
  const data = {
    version: VERSION,
    commit: await readCommit(),
    target: Deno.build.target,
    compiled: Deno.build.standalone,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    shims: SHIM_NAMES.map(factOf),
  };
  const lines = [
    line,
    `commit ${data.commit}`,
    `target ${data.target}${data.compiled ? "" : ", from source"}`,
    `deno ${data.deno}, V8 ${data.v8}`,
    ...data.shims.map((shim) =>
      "abi" in shim ? `shim ${shim.name} ABI ${shim.abi}` : `shim ${shim.name}: ${shim.error}`
    ),
  ];
  return { text: lines.join("\n"), data };
};

function factOf(name: ShimName): ShimFact {
  try {
    return { name, abi: readShimAbi(name) };
  } catch (error) {
    return { name, error: describeError(error) };
  }
}
