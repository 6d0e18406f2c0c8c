/**
 * Runs the gate, and without `--gate` the end-to-end tests too. Prints one line a step and ends with
 * `N passed, N failed, N skipped`.
 *
 *     deno run -A scripts/test.ts [--gate]
 *
 * @module
 */
const ROOT = new URL("../", import.meta.url).pathname;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  readonly name: string;
  readonly args: readonly string[];
  /** Runs only without --gate. */
  readonly isEndToEnd?: boolean;
}

const STEPS: readonly Step[] = [
  { name: "format", args: ["fmt", "--check", "-q"] },
  { name: "lint", args: ["lint", "-q"] },
  { name: "types", args: ["check", "-q", "."] },
  { name: "layers", args: ["run", "-A", "scripts/check_layers.ts"] },
  {
    name: "unit, vectors, properties, fuzz smoke, API, native",
    args: [
      "test",
      "-A",
      "-q",
      "tests/unit",
      "tests/fuzz",
      "tests/sim",
      "tests/api",
      "tests/native",
    ],
  },
  { name: "end to end", args: ["test", "-A", "-q", "tests/e2e"], isEndToEnd: true },
];

/** Counts of a `deno test` run; any other step counts as one test. */
function countsOf(output: string, hasSucceeded: boolean): Counts {
  // deno-lint-ignore no-control-regex
  const text = output.replace(/\x1b\[[0-9;]*m/g, "");
  const total =
    /\| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/.exec(
      text,
    );
  if (total === null) {
    return { passed: hasSucceeded ? 1 : 0, failed: hasSucceeded ? 0 : 1, skipped: 0 };
  }
  const [, passed = "0", failed = "0", skipped = "0"] = total;
  // A run that fails without a failed test (a leak, a module that does not load) is a failure too.
  const failedCount = Number(failed) + (hasSucceeded || failed !== "0" ? 0 : 1);
  return { passed: Number(passed), failed: failedCount, skipped: Number(skipped) };
}

async function runStep(step: Step): Promise<Counts> {
  const startMs = Date.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...step.args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output, errors, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.status,
  ]);
  const counts = countsOf(output, status.success);
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  console.log(
    `${
      status.success ? "ok  " : "FAIL"
    } ${step.name}: ${counts.passed} passed, ${counts.failed} failed (${seconds} s)`,
  );
  if (!status.success) console.log(output + errors);
  return counts;
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const step of STEPS) {
  if (step.isEndToEnd && Deno.args.includes("--gate")) continue;
  const counts = await runStep(step);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
console.log(
  `${total.passed} passed, ${total.failed} failed${
    total.skipped > 0 ? `, ${total.skipped} skipped` : ""
  }`,
);
Deno.exit(total.failed === 0 ? 0 : 1);
