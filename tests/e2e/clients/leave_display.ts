/**
 * A host that is killed while it shows a display: prints the display's name and dies without closing anything.
 *
 * @module
 */
import { openWlrootsDisplayBackend } from "../../../src/display/wlroots.ts";
import { openSystemClock } from "../../../src/platform/system_clock.ts";

const backend = openWlrootsDisplayBackend({ environment: Deno.env, clock: openSystemClock() });
const display = await backend.createDisplay({
  widthPixels: 800,
  heightPixels: 600,
  refreshMilliHz: 60_000,
});
await Deno.stdout.write(new TextEncoder().encode(display.name));
Deno.kill(Deno.pid, "SIGKILL");
