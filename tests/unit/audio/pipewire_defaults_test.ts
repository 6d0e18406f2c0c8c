import assert from "node:assert/strict";
import fc from "fast-check";
import {
  claimsWithout,
  type DefaultClaim,
  defaultWithout,
  encodeDefaultName,
  parseDefaultName,
} from "../../../src/audio/pipewire_defaults.ts";

Deno.test("defaultWithout() leaves a default that is none of the claims'", () => {
  const claims = [{ sinkName: "a", replaced: "speakers" }];
  assert.equal(defaultWithout("headphones", claims), "headphones");
  assert.equal(defaultWithout(null, claims), null);
  assert.equal(defaultWithout("a", claims), "speakers");
  assert.equal(defaultWithout("a", [{ sinkName: "a", replaced: null }]), null);
});

Deno.test("defaultWithout() ends on claims that replace one another in a circle", () => {
  const circle = [{ sinkName: "a", replaced: "b" }, { sinkName: "b", replaced: "a" }];
  assert.equal(defaultWithout("a", circle), "a");
});

Deno.test("defaultWithout() gives the person's choice whatever order claims close in", () => {
  const steps = fc.array(fc.oneof(
    fc.constant({ kind: "claim" } as const),
    fc.record(
      { kind: fc.constant("close" as const), index: fc.nat(9) },
      { noNullPrototype: true },
    ),
    fc.record(
      { kind: fc.constant("choose" as const), name: fc.constantFrom("speakers", "headphones") },
      { noNullPrototype: true },
    ),
  ));
  fc.assert(fc.property(steps, (script) => {
    let chosen: string | null = null;
    let current: string | null = null;
    let claims: DefaultClaim[] = [];
    let made = 0;
    for (const step of script) {
      if (step.kind === "choose") chosen = current = step.name;
      if (step.kind === "claim") {
        const sinkName = `punktfunk-${++made}`;
        claims.push({ sinkName, replaced: current });
        current = sinkName;
      }
      const claim = step.kind === "close" ? claims[step.index] : undefined;
      if (claim !== undefined) {
        current = defaultWithout(current, [claim]);
        claims = claimsWithout(claims, claim);
      }
      // Either the last choice, or a sink of ours that exists.
      assert.ok(current === chosen || claims.some((one) => one.sinkName === current));
      assert.equal(defaultWithout(current, claims), chosen);
    }
  }));
});

Deno.test("parseDefaultName() takes a name and nothing else", () => {
  assert.equal(parseDefaultName('{"name":"speakers"}'), "speakers");
  assert.equal(parseDefaultName('{ "name": "a \\"b\\"" }'), 'a "b"');
  for (const value of [undefined, "", "null", "3", "{}", '{"name":3}', '{"name":""}', "{name"]) {
    assert.equal(parseDefaultName(value), null, String(value));
  }
});

Deno.test("parseDefaultName() undoes encodeDefaultName()", () => {
  fc.assert(fc.property(fc.option(fc.string({ minLength: 1 })), (name) => {
    assert.equal(parseDefaultName(encodeDefaultName(name)), name);
  }));
});
