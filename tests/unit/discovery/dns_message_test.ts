import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeDnsAnswer, encodeDnsQuery, equalNames } from "../../../src/discovery/dns_message.ts";
import { concatBytes } from "../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../src/lib/errors.ts";
import { SERVICE_ANSWER } from "../../support/mdns_answer.ts";

const TYPE = ["_punktfunk", "_udp", "local"];

Deno.test("encodeDnsQuery() asks for a name in one class, to be answered directly", () => {
  assert.equal(
    encodeDnsQuery([{ name: ["_a", "local"], type: "ptr" }]).toHex(),
    "000000000001000000000000" + "025f61056c6f63616c00" + "000c8001",
  );
  for (const label of ["", "x".repeat(64)]) {
    assert.throws(() => encodeDnsQuery([{ name: [label], type: "a" }]), RangeError);
  }
});

Deno.test("decodeDnsAnswer() reads PTR, SRV, TXT and A, and names behind pointers", () => {
  assert.deepEqual(decodeDnsAnswer(SERVICE_ANSWER), [
    { type: "ptr", name: TYPE, target: ["Deck 1.0", ...TYPE] },
    { type: "srv", name: ["Deck 1.0", ...TYPE], port: 9777, target: ["deck", "local"] },
    { type: "txt", name: ["Deck 1.0", ...TYPE], entries: ["proto=punktfunk/1", "pair=required"] },
    { type: "a", name: ["deck", "local"], address: "192.168.1.20" },
  ]);
});

Deno.test("decodeDnsAnswer() passes over queries and refuses every shortened answer", () => {
  const query = encodeDnsQuery([{ name: TYPE, type: "ptr" }]);
  assert.deepEqual(decodeDnsAnswer(query), []);
  for (let length = 0; length < SERVICE_ANSWER.length; length++) {
    assert.throws(() => decodeDnsAnswer(SERVICE_ANSWER.subarray(0, length)), ProtocolError);
  }
});

Deno.test("decodeDnsAnswer() refuses names that run ahead, in circles or too far", () => {
  const header = Uint8Array.fromHex("000084000000000100000000");
  const tail = Uint8Array.fromHex("000100010000000a00047f000001");
  const at12 = Uint8Array.fromHex("c00c");
  const ahead = Uint8Array.fromHex("c020");
  const loop = Uint8Array.fromHex("0161c00c");
  const long = concatBytes(
    ...Array.from({ length: 5 }, () => concatBytes(Uint8Array.of(63), new Uint8Array(63).fill(97))),
    Uint8Array.of(0),
  );
  const reserved = Uint8Array.fromHex("4061");
  for (const name of [at12, ahead, loop, long, reserved]) {
    assert.throws(() => decodeDnsAnswer(concatBytes(header, name, tail)), ProtocolError);
  }
});

Deno.test("decodeDnsAnswer() refuses more than 256 records before reading one", () => {
  const header = (count: number) => {
    const bytes = Uint8Array.fromHex("000084000000000000000000");
    new DataView(bytes.buffer).setUint16(6, count);
    return bytes;
  };
  const record = Uint8Array.fromHex("00000100010000000a00047f000001");
  const whole = (count: number) =>
    concatBytes(header(count), ...Array.from({ length: count }, () => record));
  assert.equal(decodeDnsAnswer(whole(256)).length, 256);
  assert.throws(() => decodeDnsAnswer(whole(257)), { code: "limit" });
});

Deno.test("decodeDnsAnswer() throws only ProtocolError on arbitrary bytes", () => {
  const answers = fc.uint8Array({ maxLength: 200 }).map((bytes) =>
    concatBytes(Uint8Array.fromHex("000084000000000200000001"), bytes)
  );
  fc.assert(fc.property(answers, (bytes) => {
    try {
      decodeDnsAnswer(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

Deno.test("equalNames() does not mind upper and lower case, and minds labels", () => {
  assert.equal(equalNames(["Deck", "LOCAL"], ["deck", "local"]), true);
  assert.equal(equalNames(["a.b"], ["a", "b"]), false);
  assert.equal(equalNames(["a"], ["a", "b"]), false);
});
