import assert from "node:assert/strict";
import { describeChain, printFailure, printOutput, printProgress } from "../../../src/cli/print.ts";
import { OperationError } from "../../../src/lib/errors.ts";
import { FakeCli } from "./fixture.ts";

const NOON_MS = Date.UTC(2026, 6, 3, 12);

Deno.test("printOutput() ends text with one newline and prints nothing for none", () => {
  for (const [text, expected] of [["a", "a\n"], ["a\n", "a\n"], ["a\nb", "a\nb\n"], ["", ""]]) {
    const cli = new FakeCli();
    printOutput(cli.environment.terminal, { text: text ?? "", data: null }, false);
    assert.equal(cli.out, expected);
    assert.equal(cli.err, "");
  }
});

Deno.test("printOutput() prints the envelope of data for programs", () => {
  const cli = new FakeCli();
  printOutput(cli.environment.terminal, { text: "for people", data: { a: [1] } }, true);
  assert.equal(cli.out, '{"v":1,"data":{"a":[1]}}\n');
});

Deno.test("printFailure() writes one line on stderr, coloured only for a terminal", () => {
  for (const isInteractive of [false, true]) {
    const cli = new FakeCli({}, { isInteractive });
    printFailure(cli.environment.terminal, new Error("Cannot x: y\nz"), {
      isJson: false,
      wallMs: NOON_MS,
    });
    const level = isInteractive ? "\x1b[31mERROR\x1b[0m" : "ERROR";
    assert.equal(cli.err, `2026-07-03T12:00:00.000Z ${level} Cannot x: y z\n`);
    assert.equal(cli.out, "");
  }
});

Deno.test("printFailure() names the code of what a person can act on, and `failed` for the rest", () => {
  for (
    const [error, code] of [
      [new OperationError("port-in-use", "Cannot serve"), "port-in-use"],
      [new TypeError("Cannot serve"), "failed"],
    ] as const
  ) {
    const cli = new FakeCli();
    printFailure(cli.environment.terminal, error, { isJson: true, wallMs: NOON_MS });
    assert.equal(cli.out, `{"v":1,"error":{"code":"${code}","message":"Cannot serve"}}\n`);
    assert.equal(cli.err, "");
  }
});

Deno.test("describeChain() tells every cause once, and the first remedy", () => {
  const root = new Error("address in use");
  const middle = new OperationError("port-in-use", "Cannot listen", {
    cause: root,
    remedy: "Move it",
  });
  const outer = new Error("Cannot start", { cause: middle });
  assert.equal(describeChain(outer), "Cannot start: Cannot listen: address in use. Move it");
  assert.equal(describeChain(new Error("Cannot a: b", { cause: new Error("b") })), "Cannot a: b");
  assert.equal(describeChain("text"), "text");
  const loop = new Error("Cannot turn");
  loop.cause = loop;
  assert.equal(describeChain(loop), "Cannot turn");
});

Deno.test("printProgress() replaces its line on a terminal and is silent elsewhere", () => {
  const pipe = new FakeCli();
  printProgress(pipe.environment.terminal, "1 of 2");
  assert.equal(pipe.err, "");
  const screen = new FakeCli({}, { isInteractive: true });
  printProgress(screen.environment.terminal, "1 of 2");
  printProgress(screen.environment.terminal, null);
  assert.equal(screen.err, "\r\x1b[2K1 of 2\r\x1b[2K");
});
