/**
 * Holds the key A and the left button down on a Sway until it is killed.
 *
 *     deno run -A tests/e2e/sway_input_child.ts SOCKET OUTPUT
 *
 * @module
 */
import { openWlrootsInput } from "../../src/input/wlroots.ts";

const VK_A = 0x41;

const [socketPath = "", outputName = ""] = Deno.args;
const sink = await openWlrootsInput({
  socketPath,
  outputName,
  widthPixels: 1280,
  heightPixels: 720,
});
sink.inject({ kind: "pointer-position", x: 0.5, y: 0.5 });
sink.inject({ kind: "key", virtualKey: VK_A, isDown: true, modifiers: 0, isPositional: true });
sink.inject({ kind: "pointer-button", button: "left", isDown: true });
// Until the parent closes its end or kills this process.
await new Response(Deno.stdin.readable).bytes();
