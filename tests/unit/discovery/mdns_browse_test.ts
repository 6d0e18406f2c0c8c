import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { browseMdns, ServiceSearch } from "../../../src/discovery/mdns_browse.ts";
import { encodeDnsQuery } from "../../../src/discovery/dns_message.ts";
import { FakeClock } from "../../../src/lib/clock.ts";
import { SERVICE_ANSWER } from "../../support/mdns_answer.ts";

const TYPE = "_punktfunk._udp";
const FOUND = {
  instanceName: "Deck 1.0",
  port: 9777,
  addresses: ["192.168.1.20"],
  txt: new Map([["proto", "punktfunk/1"], ["pair", "required"]]),
};

/** The answer with the section counts changed, so that its last records are not there. */
function answerWith(recordCount: number): Uint8Array {
  const bytes = SERVICE_ANSWER.slice();
  const view = new DataView(bytes.buffer);
  view.setUint16(6, recordCount);
  view.setUint16(10, 0);
  return bytes;
}

Deno.test("ServiceSearch finds a service whose records came in one answer, or in several", () => {
  const search = new ServiceSearch(TYPE);
  search.accept(SERVICE_ANSWER);
  search.accept(SERVICE_ANSWER);
  assert.deepEqual(search.services(), [FOUND]);
  assert.deepEqual(search.questions().map(({ type }) => type), ["ptr"]);
});

Deno.test("ServiceSearch asks for what an answer left out", () => {
  const cases = [
    { records: 1, asked: ["ptr", "srv", "txt"] },
    { records: 2, asked: ["ptr", "a", "txt"] },
    { records: 3, asked: ["ptr", "a"] },
  ];
  for (const { records, asked } of cases) {
    const search = new ServiceSearch(TYPE);
    search.accept(answerWith(records));
    assert.deepEqual(search.services(), [], `${records} records`);
    assert.deepEqual(search.questions().map(({ type }) => type), asked);
    search.accept(SERVICE_ANSWER);
    assert.deepEqual(search.services(), [FOUND]);
  }
});

Deno.test("ServiceSearch ignores other types and what is no answer", () => {
  const other = new ServiceSearch("_nvstream._tcp");
  other.accept(SERVICE_ANSWER);
  assert.deepEqual(other.services(), []);
  const search = new ServiceSearch(TYPE);
  search.accept(encodeDnsQuery([{ name: ["_punktfunk", "_udp", "local"], type: "ptr" }]));
  search.accept(SERVICE_ANSWER.subarray(0, 40));
  assert.deepEqual(search.services(), []);
});

Deno.test("browseMdns() asks again for what is missing, and gives what it found", async () => {
  const clock = new FakeClock();
  await using responder = await openResponder();
  const done = browseMdns({
    type: TYPE,
    durationMs: QUERIES_MAX * 1_000,
    clock,
    // Nothing can be sent from the second.
    from: ["127.0.0.1", "203.0.113.7"],
    destination: { address: "127.0.0.1", port: responder.port },
  });
  let hasAnswered = false;
  for (let count = 0; count < QUERIES_MAX; count++) {
    const { asksMore, answer } = await responder.nextQuery();
    if (hasAnswered && !asksMore) break;
    hasAnswered ||= asksMore;
    await answer(asksMore ? SERVICE_ANSWER : answerWith(1));
    clock.advance(1_000);
  }
  clock.advance(QUERIES_MAX * 1_000);
  assert.deepEqual(await done, [FOUND]);
  assert.equal(clock.pendingTimers, 0);
});

/** An answer may still be on its way when the next query leaves: then that one asks for the same. */
const QUERIES_MAX = 1_000;

interface Query {
  /** Whether it asks for more than who is there. */
  readonly asksMore: boolean;
  answer(bytes: Uint8Array): Promise<void>;
}

async function openResponder() {
  const socket = createSocket("udp4");
  const queries: Query[] = [];
  let wake = () => {};
  socket.on("message", (query, from) => {
    queries.push({
      asksMore: (query[5] ?? 0) > 1,
      answer: (bytes) =>
        new Promise((done) => socket.send(bytes, from.port, from.address, () => done())),
    });
    wake();
  });
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  return {
    port: socket.address().port,
    async nextQuery(): Promise<Query> {
      for (;;) {
        const query = queries.shift();
        if (query !== undefined) return query;
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    },
    [Symbol.asyncDispose]: () => new Promise<void>((done) => socket.close(() => done())),
  };
}
