/**
 * What this build is called. `deno.json` carries the same version; a test compares them.
 *
 * @module
 */

export const VERSION = "0.1.0";

/** Number of the protocol core's contract with clients, shown by the banner and by `GET /health`. */
export const CORE_ABI_VERSION = 1;
