import assert from "node:assert/strict";
import { LogFilter } from "../../../src/log/filter.ts";
import { type LogOptions, openLog } from "../../../src/log/log.ts";
import { LOG_LINE_BYTES_MAX, LOG_RING_LINES_MAX, LogRing } from "../../../src/log/ring.ts";
import { scrubField, scrubText } from "../../../src/log/scrub.ts";

const NOON_MS = Date.UTC(2026, 6, 3, 12, 0, 0, 7);

function openForTest(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = openLog({
    filter: LogFilter.parse(undefined),
    format: "text",
    hasColor: false,
    wallMs: () => NOON_MS,
    write: (line) => lines.push(line),
    ...options,
  });
  return { ...log, lines };
}

Deno.test("openLog() writes one text line an event, with time, level and fields", () => {
  const { logger, lines } = openForTest();
  logger.info("session.start", { client: "ab12", width: 1920, hdr: false, title: undefined });
  logger.warn("session.reduced", { reason: 'bitrate "high" = too much', note: "" });
  assert.deepEqual(lines, [
    "2026-07-03T12:00:00.007Z INFO session.start client=ab12 width=1920 hdr=false\n",
    '2026-07-03T12:00:00.007Z WARN session.reduced reason="bitrate \\"high\\" = too much" note=""\n',
  ]);
});

Deno.test("openLog() writes JSON lines with the fields beside the event", () => {
  const { logger, lines } = openForTest({ format: "json" });
  logger.error("host.failed", { port: 47990 });
  assert.equal(lines.length, 1);
  assert.deepEqual(JSON.parse(lines[0] ?? ""), {
    "@timestamp": "2026-07-03T12:00:00.007Z",
    level: "ERROR",
    message: "host.failed",
    logger: "host",
    port: 47990,
  });
});

Deno.test("openLog() colours only when told to", () => {
  const plain = openForTest();
  const coloured = openForTest({ hasColor: true });
  for (const { logger } of [plain, coloured]) logger.error("host.failed");
  assert.ok(!plain.lines.join("").includes("\x1b"));
  assert.ok(coloured.lines.join("").includes("\x1b["));
});

Deno.test("openLog() keeps DEBUG lines in the ring whatever the filter says", () => {
  const { logger, ring, lines } = openForTest({ filter: LogFilter.parse("off") });
  logger.debug("session.detail", { step: 1 });
  logger.error("session.failed");
  assert.deepEqual(lines, []);
  assert.deepEqual(ring.read(0, 10).entries, [
    { seq: 1, tsMs: NOON_MS, level: "DEBUG", target: "session", msg: "session.detail step=1" },
    { seq: 2, tsMs: NOON_MS, level: "ERROR", target: "session", msg: "session.failed" },
  ]);
});

Deno.test("LogFilter.parse() takes level words, targets and ignores what it does not know", () => {
  const table: [string | undefined, string, boolean][] = [
    [undefined, "DEBUG", false],
    [undefined, "INFO", true],
    ["", "INFO", true],
    ["debug", "DEBUG", true],
    ["WARN", "INFO", false],
    ["warning", "WARN", true],
    ["off", "ERROR", false],
    ["trace", "TRACE", true],
    ["warn,session=debug", "DEBUG", true],
    ["warn,other=debug", "INFO", false],
    ["loud", "INFO", true],
    ["session=loud", "INFO", true],
    ["debug, session = error", "WARN", false],
  ];
  for (const [text, level, expected] of table) {
    assert.equal(
      LogFilter.parse(text).passes(level as "INFO", "session"),
      expected,
      `${text} ${level}`,
    );
  }
});

Deno.test("scrubField() redacts fields named after secrets, and long hexadecimal runs", () => {
  for (
    const name of ["pin", "pairingPin", "token", "mgmt_token", "riKey", "rikey", "api-key", "PIN"]
  ) {
    assert.equal(scrubField(name, "1234"), "[redacted]", name);
    assert.equal(scrubField(name, 1234), "[redacted]", name);
  }
  for (const name of ["ping", "keyframe", "pinned", "monkey", "tokens_per_second"]) {
    assert.equal(scrubField(name, "1234"), "1234", name);
  }
  const key = "0123456789abcdef0123456789ABCDEF";
  assert.equal(scrubField("error", `bad ${key}!`), "bad [redacted]!");
  assert.equal(scrubField("error", key.slice(1)), key.slice(1));
  assert.equal(scrubField("fingerprint", key + key), key + key);
  assert.equal(scrubField("client_fingerprint", key + key), key + key);
});

Deno.test("scrubText() keeps a value on its line and in its order", () => {
  assert.equal(scrubText("a\r\nERROR forged"), "a ERROR forged");
  assert.equal(scrubText("\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b"), "red ]0;title ");
  assert.equal(scrubText("abc\u202egnp.exe\u2066x\u200f"), "abcgnp.exex");
  assert.equal(scrubText("lone \ud800 half"), "lone \ufffd half");
  assert.equal(scrubText("Wohnzimmer 电视 😀"), "Wohnzimmer 电视 😀");
});

Deno.test("LogRing.read() pages by cursor and tells when lines were lost", () => {
  const ring = new LogRing();
  assert.deepEqual(ring.read(0, 10), { entries: [], next: 0, dropped: false });
  const push = (count: number) => {
    for (let index = 0; index < count; index++) {
      ring.push({ tsMs: 0, level: "INFO", target: "t", msg: "m" });
    }
  };
  push(LOG_RING_LINES_MAX);
  const first = ring.read(0, 1000);
  assert.equal(first.entries.length, 1000);
  assert.equal(first.entries[0]?.seq, 1);
  assert.equal(first.next, 1000);
  assert.equal(first.dropped, false);

  push(1);
  const wrapped = ring.read(0, LOG_RING_LINES_MAX + 1);
  assert.equal(wrapped.dropped, true);
  assert.equal(wrapped.entries.length, LOG_RING_LINES_MAX);
  assert.equal(wrapped.entries[0]?.seq, 2);
  assert.equal(ring.read(1, 10).dropped, false);
  assert.equal(ring.read(1, 10).entries[0]?.seq, 2);

  const end = ring.read(wrapped.next, 10);
  assert.deepEqual(end, { entries: [], next: LOG_RING_LINES_MAX + 1, dropped: false });
});

Deno.test("LogRing.read() starts over for a cursor of an earlier process", () => {
  const ring = new LogRing();
  ring.push({ tsMs: 0, level: "INFO", target: "t", msg: "m" });
  const page = ring.read(500, 10);
  assert.equal(page.dropped, true);
  assert.equal(page.entries[0]?.seq, 1);
  assert.equal(page.next, 1);
});

Deno.test("LogRing.push() keeps a line of the limit and cuts one past it at a character", () => {
  const ring = new LogRing();
  const push = (msg: string) => ring.push({ tsMs: 0, level: "INFO", target: "t", msg });
  push("x".repeat(LOG_LINE_BYTES_MAX));
  push("x".repeat(LOG_LINE_BYTES_MAX + 1));
  push("é".repeat(LOG_LINE_BYTES_MAX));
  const [whole, cut, accents] = ring.read(0, 3).entries.map((entry) => entry.msg);
  assert.equal(whole, "x".repeat(LOG_LINE_BYTES_MAX));
  assert.equal(cut, "x".repeat(LOG_LINE_BYTES_MAX - 3) + "…");
  assert.equal(accents, "é".repeat((LOG_LINE_BYTES_MAX - 4) / 2) + "…");
});
