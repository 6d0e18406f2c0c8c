import assert from "node:assert/strict";
import type { Command, RouteMap } from "@stricli/core";
import type { CliContext } from "../../../src/cli/command.ts";
import { ROUTES } from "../../../src/cli/table.ts";
import { FakeCli } from "./fixture.ts";

/** The words of every command and group, from the program's own down. */
function pathsOf(target: RouteMap<CliContext> | Command<CliContext>, path: string[]): string[][] {
  if (!("getAllEntries" in target)) return [path];
  return [
    path,
    ...target.getAllEntries().flatMap((entry) =>
      pathsOf(entry.target, [...path, entry.name.original])
    ),
  ];
}

const PATHS = pathsOf(ROUTES, []);

async function runFor(...args: string[]) {
  const cli = new FakeCli();
  const code = await cli.run(...args);
  return { code, out: cli.out, err: cli.err };
}

Deno.test("ROUTES holds the commands of the specification that exist so far", () => {
  assert.deepEqual(PATHS.map((path) => path.join(" ")), [
    "",
    "serve",
    "punktfunk1-host",
    "probe",
    "ctl",
    "ctl status",
    "ctl pair",
    "ctl pair status",
    "ctl pair arm",
    "ctl pair disarm",
    "ctl pending",
    "ctl approve",
    "ctl deny",
    "ctl pin",
    "ctl clients",
    "ctl rename",
    "ctl access",
    "ctl unpair",
    "ctl stop-session",
    "openapi",
    "doctor",
    "detect-conflicts",
    "probe-compositor",
    "list-monitors",
    "input-test",
    "spike",
    "completions",
    "version",
    "licenses",
  ]);
});

Deno.test("runProgram() shows every command's help on stderr, with usage and examples", async () => {
  for (const path of PATHS) {
    for (const args of [[...path, "--help"], [...path, "-h"], ["help", ...path]]) {
      const { code, out, err } = await runFor(...args);
      assert.equal(code, 0, args.join(" "));
      assert.equal(out, "");
      assert.ok(err.startsWith(`USAGE\n  punktfunk-host ${path.join(" ")}`.trimEnd()), err);
      const examples = /Examples:\n((?: {2}.*\n)+)/.exec(err)?.[1] ?? "";
      const lines = examples.split("\n").filter((line) => line !== "");
      assert.ok(lines.length > 0);
      for (const line of lines) {
        assert.ok(line.includes(`punktfunk-host ${path.join(" ")}`.trimEnd()), line);
      }
    }
  }
});

Deno.test("runProgram() without a command, or with a group alone, shows the usage and succeeds", async () => {
  const none = await runFor();
  assert.equal(none.code, 0);
  assert.match(none.err, /^USAGE\n[\s\S]*COMMANDS\n {2}serve /);
  const group = await runFor("ctl");
  assert.equal(group.code, 0);
  assert.match(group.err, /COMMANDS\n {2}status /);
});

Deno.test("runProgram() documents and accepts every flag of `serve` that the specification names", async () => {
  const { err } = await runFor("serve", "--help");
  for (
    const flag of [
      "--gamestream",
      "--moonlight",
      "--gamestream-port",
      "--native",
      "--native-port",
      "--mgmt-bind",
      "--no-mdns",
      "--source",
    ]
  ) {
    assert.match(err, new RegExp(`\\[${flag}\\]`), flag);
  }
});

Deno.test("runProgram() refuses wrong arguments with the specified words", async () => {
  const table: [string[], string][] = [
    [["frobnicate"], "unknown command 'frobnicate' (try --help)"],
    [["Serve"], "unknown command 'Serve' (try --help)"],
    [["constructor"], "unknown command 'constructor' (try --help)"],
    [["__proto__"], "unknown command '__proto__' (try --help)"],
    [["--frobnicate"], "unknown command '--frobnicate' (try --help)"],
    [["help", "frobnicate"], "unknown command 'frobnicate' (try --help)"],
    [["serve", "--bogus"], "unknown argument '--bogus' (try --help)"],
    [["serve", "--bogus=1"], "unknown argument '--bogus' (try --help)"],
    [["serve", "--no-gamestream"], "unknown argument '--no-gamestream' (try --help)"],
    [["serve", "-x"], "unknown argument '-x' (try --help)"],
    [["serve", "extra"], "unknown argument 'extra' (try --help)"],
    [["serve", "--mgmt-bind"], "missing value for --mgmt-bind"],
    [["serve", "--native-port", "--gamestream"], "missing value for --native-port"],
    [["serve", "--source", "a", "--source", "b"], "--source is given twice"],
    [["spike", "--fps", "0"], "Cannot use --fps: it must be a number, 1 to 1000"],
    [
      ["spike", "--seconds", "0"],
      "Cannot use --seconds: it must be a number, more than 0, up to 3600",
    ],
    [["spike", "--width", "0"], "Cannot use --width: it must be a whole number, 64 to 8192"],
    [["spike", "--codec", "av1"], "Cannot use --codec: it must be one of h264"],
    [["completions"], "missing SHELL (try --help)"],
    [["completions", "tcsh"], "Cannot complete for 'tcsh': it must be one of bash, zsh, fish"],
    [
      ["completions", "constructor"],
      "Cannot complete for 'constructor': it must be one of bash, zsh, fish",
    ],
  ];
  for (const [args, message] of table) {
    const { code, out, err } = await runFor(...args);
    assert.equal(code, 1, args.join(" "));
    assert.equal(out, "");
    assert.match(err, /^\d{4}-\d\d-\d\dT[\d:.]+Z ERROR .*\n$/);
    assert.equal(err.slice(err.indexOf("ERROR ") + 6, -1), message);
  }
});

Deno.test("runProgram() gives usage faults of `ctl` their own exit code", async () => {
  for (
    const args of [
      ["ctl", "frobnicate"],
      ["ctl", "status", "--bogus"],
      ["ctl", "status", "extra"],
      ["ctl", "pin"],
      ["ctl", "pin", "123"],
      ["ctl", "pin", "12345"],
      ["ctl", "pin", "1234", "0123456789ABCDEF"],
      ["ctl", "pin", "1234", "0123456789ABCDEF", "ab"],
      ["ctl", "pin", "1234", "a", "b", "c", "d"],
      ["ctl", "unpair"],
      ["ctl", "unpair", "--all"],
      ["ctl", "unpair", "ab", "--all", "--yes"],
    ]
  ) {
    const { code, out, err } = await runFor(...args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(out, "");
    assert.match(err, / ERROR /);
  }
});

Deno.test("runProgram() wraps failures in one JSON object on stdout when asked to", async () => {
  const { code, out, err } = await runFor("ctl", "status", "--bogus", "--json");
  assert.equal(code, 2);
  assert.equal(err, "");
  assert.deepEqual(JSON.parse(out), {
    v: 1,
    error: { code: "usage", message: "unknown argument '--bogus' (try --help)" },
  });
});

Deno.test("`openapi` prints the checked-in document and nothing on stderr", async () => {
  const { code, out, err } = await runFor("openapi");
  assert.equal(code, 0);
  assert.equal(err, "");
  assert.equal(out, await Deno.readTextFile(new URL("../../../api/openapi.json", import.meta.url)));
});

Deno.test("`completions` writes scripts that name every command and flag", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await runFor("completions", shell);
    assert.equal(code, 0);
    for (
      const word of [
        "serve",
        "stop-session",
        "probe-compositor",
        "gamestream-port",
        "no-mdns",
        "json",
      ]
    ) {
      assert.ok(out.includes(word), `${shell} ${word}`);
    }
  }
});

Deno.test("`completions bash` completes commands, verbs and flags in a real shell", async () => {
  const { out } = await runFor("completions", "bash");
  const complete = async (...words: string[]) => {
    const line = words.map((word) => `'${word}'`).join(" ");
    const script = `${out}
COMP_WORDS=(punktfunk-host ${line}); COMP_CWORD=${words.length}; _punktfunk_host; echo "\${COMPREPLY[*]}"`;
    const result = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
    assert.equal(new TextDecoder().decode(result.stderr), "");
    return new TextDecoder().decode(result.stdout).trim();
  };
  assert.equal(await complete("se"), "serve");
  assert.equal(await complete("ctl", "p"), "pair pending pin");
  assert.equal(await complete("serve", "--m"), "--moonlight --mgmt-bind");
  assert.equal(await complete("ctl", "unpair", "--json", "--y"), "--yes");
});
