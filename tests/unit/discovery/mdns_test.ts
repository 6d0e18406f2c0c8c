import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { FakeClock } from "../../../src/lib/clock.ts";
import {
  ANNOUNCE_WAIT_MS,
  instanceNameOf,
  openMdns,
  targetLabelOf,
} from "../../../src/discovery/mdns.ts";

const MDNS_PORT = 5353;
const MDNS_ADDRESS = "224.0.0.251";
const FLAG_RESPONSE = 0x80;

/** Multicast DNS responses on the loopback interface. */
async function listenForResponses() {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  await new Promise<void>((resolve) => socket.bind(MDNS_PORT, () => resolve()));
  socket.addMembership(MDNS_ADDRESS, "127.0.0.1");
  const responses: Uint8Array[] = [];
  let wake = () => {};
  socket.on("message", (message: Uint8Array) => {
    if (((message[2] ?? 0) & FLAG_RESPONSE) === 0) return;
    responses.push(new Uint8Array(message));
    wake();
  });
  return {
    /** The first record of `type` for `name`, waiting for as many packets as it takes. */
    async record(name: string, type: number, matches: (record: DnsRecord) => boolean = () => true) {
      for (;;) {
        while (responses.length > 0) {
          const found = recordsOf(responses.shift() ?? new Uint8Array())
            .find((record) => record.name === name && record.type === type && matches(record));
          if (found !== undefined) return found;
        }
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly ttlSeconds: number;
  readonly data: Uint8Array;
}

/** The answers of a response without questions. */
function recordsOf(packet: Uint8Array): DnsRecord[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const records: DnsRecord[] = [];
  let offset = 12;
  for (let left = view.getUint16(6); left > 0; left--) {
    const { name, end } = nameAt(packet, offset);
    const sizeBytes = view.getUint16(end + 8);
    records.push({
      name,
      type: view.getUint16(end),
      ttlSeconds: view.getUint32(end + 4),
      data: packet.slice(end + 10, end + 10 + sizeBytes),
    });
    offset = end + 10 + sizeBytes;
  }
  return records;
}

function nameAt(packet: Uint8Array, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let offset = start;
  let end: number | undefined;
  for (;;) {
    const length = packet[offset] ?? 0;
    if (length >= 0xc0) {
      end ??= offset + 2;
      offset = (length & 0x3f) * 256 + (packet[offset + 1] ?? 0);
    } else if (length === 0) {
      return { name: labels.join("|"), end: end ?? offset + 1 };
    } else {
      labels.push(new TextDecoder().decode(packet.subarray(offset + 1, offset + 1 + length)));
      offset += length + 1;
    }
  }
}

const TXT = 16;
const SRV = 33;

Deno.test("openMdns() announces both kinds of service with their exact records, and says goodbye", async () => {
  const listener = await listenForResponses();
  const notices: string[] = [];
  const clock = new FakeClock();
  const mdns = await openMdns({
    machineName: "studio pc",
    clock,
    onNotice: (sentence) => notices.push(sentence),
    interfaces: ["lo"],
  });
  const name = `Unit test ${Deno.pid}`;
  const nvstream = `${name}|_nvstream|_tcp|local`;
  const native = `${name}|_punktfunk|_udp|local`;
  try {
    await mdns.advertise({
      instanceName: name,
      type: "nvstream",
      protocol: "tcp",
      port: 47989,
      txt: {},
    });
    const txt = await listener.record(nvstream, TXT);
    assert.equal(txt.data.toHex(), "00");
    await mdns.advertise({
      instanceName: name,
      type: "punktfunk",
      protocol: "udp",
      port: 9777,
      txt: { proto: "punktfunk/1", pair: "required" },
    });
    const srv = await listener.record(native, SRV);
    assert.equal(new DataView(srv.data.buffer).getUint16(4), 9777);
    assert.ok(new TextDecoder().decode(srv.data).includes("studio-pc-punktfunk"));
    const closed = mdns.close();
    const goodbyes = await Promise.all([
      listener.record(nvstream, TXT, ({ ttlSeconds }) => ttlSeconds === 0),
      closed,
    ]);
    assert.equal(goodbyes[0].data.toHex(), "00");
    await mdns.close();
  } finally {
    await mdns.close();
    await listener.close();
  }
  assert.deepEqual(notices, []);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("openMdns() says in one sentence when nothing answers, and the host goes on", async () => {
  const notices: string[] = [];
  const clock = new FakeClock();
  const mdns = await openMdns({
    machineName: "studio-pc",
    clock,
    onNotice: (sentence) => notices.push(sentence),
    interfaces: ["lo"],
  });
  const advertised = mdns.advertise({
    instanceName: `Unit test ${Deno.pid} late`,
    type: "nvstream",
    protocol: "tcp",
    port: 47989,
    txt: {},
  });
  clock.advance(ANNOUNCE_WAIT_MS);
  await advertised;
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? "", /not announced.*10 s$/);
  await mdns.close();
});

Deno.test("targetLabelOf() makes a legal label of any machine name", () => {
  const labelOf = (name: string) => targetLabelOf(name, "x");
  assert.equal(targetLabelOf("studio-pc", "nvstream"), "studio-pc-nvstream");
  assert.equal(labelOf("Büro PC_1"), "B-ro-PC-1-x");
  assert.equal(labelOf("-.a.b.-"), "a.b-x");
  assert.equal(labelOf("ö"), "punktfunk-host-x");
  assert.equal(labelOf(""), "punktfunk-host-x");
  assert.equal(labelOf("a".repeat(62)), `${"a".repeat(61)}-x`);
  assert.equal(labelOf(`${"a".repeat(60)}-b`), `${"a".repeat(60)}-x`);
});

Deno.test("instanceNameOf() keeps names within 63 bytes and whole", () => {
  assert.equal(instanceNameOf("Studio PC"), "Studio PC");
  assert.equal(instanceNameOf("Dr. No"), "Dr  No");
  assert.equal(instanceNameOf("a\nb"), "a b");
  assert.equal(instanceNameOf(" . "), "punktfunk");
  assert.equal(instanceNameOf("😀".repeat(16)), "😀".repeat(15));
  assert.equal(instanceNameOf("a".repeat(63)), "a".repeat(63));
  assert.equal(instanceNameOf("a".repeat(64)), "a".repeat(63));
});
