/**
 * `probe`: a client of the native plane for tests and measurement.
 *
 * @module
 */
import { OperationError } from "../../lib/errors.ts";
import { writeFileAtomic } from "../../store/file.ts";
import type { StreamMode } from "../../protocol/punktfunk1/enums.ts";
import { describeHosts, describeResult, progressLine } from "../../probe/progress.ts";
import { listHosts, parseHostName, resolveHost } from "../../probe/hosts.ts";
import type { LinkProbeRequest } from "../../probe/link_probe.ts";
import { renderReport } from "../../probe/report_html.ts";
import { type ProbeOptions, runProbe } from "../../probe/run.ts";
import type { CliEnvironment, CommandRun, JsonFlag } from "../environment.ts";
import { inputScriptStep } from "../input_script.ts";
import { type CommandOutput, printProgress } from "../print.ts";

export type ProbeFlags =
  & JsonFlag
  & Readonly<
    Partial<{
      list: boolean;
      pin: string;
      pairOnly: boolean;
      deviceKey: boolean;
      identity: string;
      fingerprint: Uint8Array;
      waitApproval: boolean;
      timeout: number;
      mode: StreamMode;
      bitrate: number;
      codec: "h264" | "hevc" | "av1";
      channels: "2" | "6" | "8";
      chacha20: boolean;
      name: string;
      launch: string;
      seconds: number;
      frames: number;
      quit: boolean;
      out: string;
      audioOut: string;
      clockStrips: boolean;
      input: boolean;
      micTone: number;
      probeLink: LinkProbeRequest;
      adaptive: boolean;
      report: string;
    }>
  >;

const TIMEOUT_S = 15;
const APPROVAL_S = 185;
const LIST_MS = 2_500;
const MODE: StreamMode = { width: 1280, height: 720, refreshHz: 60 };
const REPORT_MODE = 0o644;

export const run: CommandRun<ProbeFlags, [string?]> = async (environment, flags, target) => {
  if (flags.list === true) return await list(environment);
  if (target === undefined) throw new OperationError("usage", "missing HOST (try --help)");
  const { terminal, env } = environment;
  const host = await resolveHost(parseTarget(target));
  let signals: Disposable | undefined;
  try {
    const outcome = await runProbe(optionsOf(flags, { host, environment }), {
      clock: await environment.openClock(),
      env,
      onProgress: (session) => printProgress(terminal, progressLine(session)),
      onStreaming: (stop) => {
        signals = environment.onStopSignal(stop);
      },
    });
    printProgress(terminal, null);
    if (flags.report !== undefined) {
      const page = renderReport(outcome, `punktfunk probe of ${target}`);
      await writeFileAtomic(flags.report, new TextEncoder().encode(page), REPORT_MODE);
    }
    const { result } = outcome;
    return { text: describeResult(result), data: result, exitCode: result.ok ? 0 : 1 };
  } finally {
    printProgress(terminal, null);
    signals?.[Symbol.dispose]();
  }
};

async function list(environment: CliEnvironment): Promise<CommandOutput> {
  const hosts = await listHosts({ clock: await environment.openClock(), durationMs: LIST_MS });
  return { text: describeHosts(hosts), data: { hosts } };
}

function optionsOf(
  flags: ProbeFlags,
  { host, environment }: {
    readonly host: ProbeOptions["host"];
    readonly environment: CliEnvironment;
  },
): ProbeOptions {
  const timeoutMs = (flags.timeout ?? TIMEOUT_S) * 1000;
  if (flags.pairOnly === true && flags.pin === undefined) {
    throw new OperationError("usage", "--pair-only needs --pin");
  }
  return {
    host,
    directory: flags.identity ?? environment.directories().config,
    pin: flags.pin,
    isPairOnly: flags.pairOnly === true,
    isKeyOnly: flags.deviceKey === true,
    fingerprint: flags.fingerprint,
    wish: {
      mode: flags.mode ?? MODE,
      bitrateKbps: flags.bitrate ?? 0,
      codec: flags.codec,
      channels: channelsOf(flags.channels),
      isChaChaWanted: flags.chacha20 === true,
      name: flags.name ?? "punktfunk probe",
      launch: flags.launch,
    },
    limits: { frames: flags.frames, seconds: flags.seconds, silenceMs: timeoutMs },
    dialBudgetMs: timeoutMs,
    welcomeTimeoutMs: flags.waitApproval === true ? APPROVAL_S * 1000 : timeoutMs,
    isQuit: flags.quit === true,
    videoPath: flags.out,
    soundPath: flags.audioOut,
    readsClockStrips: flags.clockStrips === true,
    inputStep: flags.input === true ? (step) => inputScriptStep(step, false) : undefined,
    toneHz: flags.micTone,
    link: flags.probeLink,
    isAdaptive: flags.adaptive === true,
  };
}

function channelsOf(text: ProbeFlags["channels"]): 2 | 6 | 8 {
  return text === "8" ? 8 : text === "6" ? 6 : 2;
}

function parseTarget(text: string) {
  try {
    return parseHostName(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OperationError("usage", `Cannot use HOST: ${error.message}`);
  }
}
