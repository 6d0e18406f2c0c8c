import assert from "node:assert/strict";
import { minorIn } from "../../../scripts/cargo.ts";
import { chooseRustPackages, parsePolicy } from "../../../scripts/rust.ts";

Deno.test("parsePolicy() reads the candidate of each package that has one", () => {
  const text = `rustc:
  Installed: (none)
  Candidate: 1.63.0+dfsg1-2
  Version table:
     1.63.0+dfsg1-2 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
cargo:
  Installed: 0.66.0+ds1-1
  Candidate: 0.66.0+ds1-1
rustc-web:
  Installed: (none)
  Candidate: (none)
`;
  assert.deepEqual([...parsePolicy(text)], [["rustc", "1.63.0+dfsg1-2"], [
    "cargo",
    "0.66.0+ds1-1",
  ]]);
  assert.equal(parsePolicy("").size, 0);
});

Deno.test("chooseRustPackages() takes what each distribution has", () => {
  const choose = (...packages: readonly (readonly [string, string])[]) =>
    chooseRustPackages(new Map(packages), 85);
  const bookworm = [["rustc", "1.63.0+dfsg1-2"], ["cargo", "0.66.0+ds1-1"]] as const;
  assert.equal(choose(), undefined);
  assert.equal(choose(...bookworm), undefined);
  assert.deepEqual(
    choose(
      ...bookworm,
      ["rustc-web", "1.85.0+dfsg3-1~deb12u3"],
      ["cargo-web", "1.85.0+dfsg3-1~deb12u3"],
    ),
    ["rustc-web", "cargo-web"],
  );
  assert.deepEqual(
    choose(["rustc", "1.85.0+dfsg3-1"], ["cargo", "1.85.0+dfsg3-1"]),
    ["rustc", "cargo"],
  );
  const noble = [["rustc", "1.75.0+dfsg0ubuntu1"], ["cargo", "1.75.0+dfsg0ubuntu1"]] as const;
  const versioned = (minor: number) =>
    ["rustc", "cargo"].map((name) => [`${name}-1.${minor}`, `1.${minor}.1+dfsg0ubuntu1`] as const);
  assert.deepEqual(
    choose(...noble, ...versioned(80), ...versioned(85), ...versioned(91)),
    ["rustc-1.91", "cargo-1.91"],
  );
  assert.equal(choose(...noble, ...versioned(84)), undefined);
  assert.equal(choose(["rustc-1.91", "1.91.1+dfsg"]), undefined);
});

Deno.test("minorIn() reads what cargo says of itself", () => {
  assert.equal(minorIn("cargo 1.85.0 (d73d2caf9 2024-12-31)\n"), 85);
  assert.equal(minorIn("cargo 0.66.0"), undefined);
  assert.equal(minorIn(""), undefined);
});
