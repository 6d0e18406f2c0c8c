/**
 * `input-test`: proves that a virtual display takes input, without a client (product specification 1.6).
 *
 * @module
 */
import type { DisplayMode } from "../../display/ports.ts";
import { OperationError } from "../../lib/errors.ts";
import { requireCompositor } from "../compositor.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";
import { INPUT_STEP_MS, inputScriptStep } from "../input_script.ts";
import { pause } from "../pause.ts";
import { printProgress } from "../print.ts";

export type InputTestFlags = JsonFlag & { readonly seconds?: number; readonly wait?: number };

const DRAW_SECONDS = 8;
const WAIT_SECONDS = 4;
const MODE: DisplayMode = { widthPixels: 1920, heightPixels: 1080, refreshMilliHz: 60_000 };

export const run: CommandRun<InputTestFlags> = async (environment, flags) => {
  const { env, terminal } = environment;
  const { seconds = DRAW_SECONDS, wait = WAIT_SECONDS } = flags;
  const absolute = parseSize(env.get("PUNKTFUNK_INPUT_TEST_ABS"));
  const clock = await environment.openClock();
  const backend = await requireCompositor(environment);
  await using display = await backend.createDisplay({ ...MODE, ...absolute });
  await using sink = await display.openInput();

  printProgress(terminal, `Drawing on ${display.name} begins in ${wait} s`);
  await pause(clock, wait * 1000);
  const stepCount = Math.max(1, Math.round(seconds * 1000 / INPUT_STEP_MS));
  let eventCount = 0;
  for (let index = 0; index < stepCount; index++) {
    for (const event of inputScriptStep(index, absolute !== undefined)) {
      sink.inject(event);
      eventCount++;
    }
    printProgress(terminal, `Step ${index + 1} of ${stepCount}`);
    await pause(clock, INPUT_STEP_MS);
  }
  printProgress(terminal, null);
  const data = {
    display: display.name,
    sink: sink.description,
    steps: stepCount,
    events: eventCount,
  };
  return { text: `${sink.description} took ${eventCount} events on ${display.name}`, data };
};

/** "1920x1080" of PUNKTFUNK_INPUT_TEST_ABS, or undefined when it is not set. */
function parseSize(
  text: string | undefined,
): Pick<DisplayMode, "widthPixels" | "heightPixels"> | undefined {
  if (text === undefined || text === "") return undefined;
  const match = /^([0-9]{1,5})x([0-9]{1,5})$/.exec(text);
  if (match === null) {
    throw new OperationError("invalid", "Cannot use PUNKTFUNK_INPUT_TEST_ABS: it must be WxH");
  }
  return { widthPixels: Number(match[1]), heightPixels: Number(match[2]) };
}
