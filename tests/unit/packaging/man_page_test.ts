import assert from "node:assert/strict";
import type { Command, RouteMap } from "@stricli/core";
import { escapeText, manPage } from "../../../packaging/man_page.ts";
import { type CliContext, flagText } from "../../../src/cli/command.ts";
import { ROUTES } from "../../../src/cli/table.ts";
import { SETTINGS } from "../../../src/platform/config.ts";

const LINES = manPage({ date: new Date("2026-03-01T12:00:00Z") }).split("\n");

function* commands(
  target: Command<CliContext> | RouteMap<CliContext>,
  path: readonly string[] = [],
): Generator<readonly [path: string, command: Command<CliContext>]> {
  if (!("getAllEntries" in target)) return yield [path.join(" "), target];
  for (const entry of target.getAllEntries()) {
    yield* commands(entry.target, [...path, entry.name.original]);
  }
}

Deno.test("manPage() has a section for every command, with its flags, arguments and examples", () => {
  for (const [path, { brief, parameters, fullDescription = "" }] of commands(ROUTES)) {
    const start = LINES.indexOf(`.SS ${escapeText(path)}`);
    assert.ok(start > 0, path);
    const length = LINES.slice(start + 1).findIndex((line) => /^\.S[SH] /.test(line));
    const section = LINES.slice(start, start + 1 + length);
    assert.ok(section.includes(escapeText(`${brief}.`)), path);
    for (const [name, flag] of Object.entries(parameters.flags ?? {})) {
      const term = section.findIndex((line) =>
        `${line} `.startsWith(`.B ${escapeText(flagText(name))} `)
      );
      assert.equal(section[term + 1], escapeText(`${flag.brief}.`), `${path} ${name}`);
    }
    const examples = fullDescription.split("\n").filter((line) => line.startsWith("  "));
    assert.ok(examples.length > 0, path);
    for (const example of examples) assert.ok(section.includes(escapeText(example.trim())));
    if (parameters.positional?.kind === "tuple") {
      for (const one of parameters.positional.parameters) {
        assert.ok(section.includes(escapeText(`${one.brief}.`)), `${path} ${one.placeholder}`);
      }
    }
  }
});

Deno.test("manPage() names every setting's variable once and carries the day", () => {
  for (const { env } of Object.values(SETTINGS)) {
    assert.equal(LINES.filter((line) => line === `.B ${env}`).length, 1, env);
  }
  assert.match(LINES[0] ?? "", /^\.TH "punktfunk-host" 1 "2026-03-01" /);
});

Deno.test("escapeText() leaves roff nothing to interpret", () => {
  assert.equal(escapeText(".TH is a word"), "\\&.TH is a word");
  assert.equal(escapeText("'quoted"), "\\&'quoted");
  assert.equal(escapeText('a\\b --c ~/d "e"'), "a\\eb \\-\\-c \\(ti/d \\(dqe\\(dq");
  assert.equal(escapeText("as `ctl x-y` does"), "as \\fBctl x\\-y\\fR does");
});
