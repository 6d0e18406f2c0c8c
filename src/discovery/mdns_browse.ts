/**
 * Looks once for the services of one type on the local network, by one-shot multicast queries (RFC 6762 5.1).
 *
 *     PTR query ─→ 224.0.0.251:5353, from each address of this machine ─→ answers to the port that asked
 *                  again every second, with what is not known yet of the services found
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import type { Clock, Timer } from "../lib/clock.ts";
import { ProtocolError } from "../lib/errors.ts";
import {
  decodeDnsAnswer,
  type DnsName,
  type DnsQuestion,
  type DnsRecord,
  encodeDnsQuery,
  equalNames,
} from "./dns_message.ts";

const MULTICAST = { address: "224.0.0.251", port: 5353 };
const ASK_INTERVAL_MS = 1_000;
/** Of one search: what a broken or hostile responder may make this program keep. */
const RECORDS_MAX = 1_024;
const QUESTIONS_MAX = 16;

export interface FoundService {
  /** The instance's label as it is. Untrusted text. */
  readonly instanceName: string;
  readonly port: number;
  /** IPv4 addresses of its target, at least one. */
  readonly addresses: readonly string[];
  /** Keys in lower case; the first of a key counts. Untrusted text. */
  readonly txt: ReadonlyMap<string, string>;
}

export interface BrowseOptions {
  /** E.g. `_punktfunk._udp`. */
  readonly type: string;
  readonly durationMs: number;
  readonly clock: Clock;
  /** IPv4 addresses of this machine to ask from. */
  readonly from: readonly string[];
  /** Where to ask instead of the group of multicast DNS. */
  readonly destination?: { readonly address: string; readonly port: number };
}

/** Every complete service that answered in time, by name. Addresses that cannot send are passed over. */
export async function browseMdns(options: BrowseOptions): Promise<readonly FoundService[]> {
  const { clock, durationMs, destination = MULTICAST } = options;
  const search = new ServiceSearch(options.type);
  const sockets = await Promise.all(
    options.from.map((address) => openSocket(address, (bytes) => search.accept(bytes))),
  );
  const open = sockets.filter((socket) => socket !== undefined);
  function ask(): Timer {
    const query = encodeDnsQuery(search.questions());
    for (const socket of open) socket.send(query, destination.port, destination.address, () => {});
    return clock.after(ASK_INTERVAL_MS, () => {
      timer = ask();
    });
  }
  let timer = ask();
  await new Promise<void>((resolve) => clock.after(durationMs, resolve));
  timer.cancel();
  await Promise.all(open.map((socket) => new Promise<void>((done) => socket.close(() => done()))));
  return search.services();
}

/** What was answered so far, and what is still to be asked. Pure. */
export class ServiceSearch {
  readonly #type: DnsName;
  /** By what they say: answers repeat one another. */
  readonly #byText = new Map<string, DnsRecord>();

  /** `type` as in `_punktfunk._udp`. */
  constructor(type: string) {
    this.#type = [...type.split("."), "local"];
  }

  /** Take a datagram. What is no answer is ignored. */
  accept(bytes: Uint8Array): void {
    let records: readonly DnsRecord[];
    try {
      records = decodeDnsAnswer(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return;
      throw error;
    }
    for (const record of records) {
      if (this.#byText.size < RECORDS_MAX) this.#byText.set(JSON.stringify(record), record);
    }
  }

  questions(): readonly DnsQuestion[] {
    const questions: DnsQuestion[] = [{ name: this.#type, type: "ptr" }];
    for (const name of this.#instances()) {
      const srv = this.#srvOf(name);
      if (srv === undefined) questions.push({ name, type: "srv" });
      else if (this.#addressesOf(srv.target).length === 0) {
        questions.push({ name: srv.target, type: "a" });
      }
      if (this.#txtOf(name) === undefined) questions.push({ name, type: "txt" });
    }
    return questions.filter(({ name }) => name.every((label) => label !== ""))
      .slice(0, QUESTIONS_MAX);
  }

  services(): readonly FoundService[] {
    const found = this.#instances().flatMap((name) => {
      const srv = this.#srvOf(name);
      const addresses = srv === undefined ? [] : this.#addressesOf(srv.target);
      if (srv === undefined || srv.port === 0 || addresses.length === 0) return [];
      const txt = new Map<string, string>();
      for (const entry of this.#txtOf(name) ?? []) {
        const [key = "", ...value] = entry.split("=");
        if (!txt.has(key.toLowerCase())) txt.set(key.toLowerCase(), value.join("="));
      }
      return [{ instanceName: name[0] ?? "", port: srv.port, addresses, txt }];
    });
    return found.sort((a, b) => a.instanceName < b.instanceName ? -1 : 1);
  }

  get #records(): Iterable<DnsRecord> {
    return this.#byText.values();
  }

  #instances(): readonly DnsName[] {
    const names: DnsName[] = [];
    for (const record of this.#records) {
      if (record.type !== "ptr" || !equalNames(record.name, this.#type)) continue;
      const isOfType = equalNames(record.target.slice(1), this.#type);
      if (isOfType && !names.some((name) => equalNames(name, record.target))) {
        names.push(record.target);
      }
    }
    return names;
  }

  #srvOf(name: DnsName) {
    for (const record of this.#records) {
      if (record.type === "srv" && equalNames(record.name, name)) return record;
    }
    return undefined;
  }

  #txtOf(name: DnsName): readonly string[] | undefined {
    for (const record of this.#records) {
      if (record.type === "txt" && equalNames(record.name, name)) return record.entries;
    }
    return undefined;
  }

  #addressesOf(name: DnsName): readonly string[] {
    return [...this.#records].flatMap((record) =>
      record.type === "a" && equalNames(record.name, name) ? [record.address] : []
    );
  }
}

/** A socket that sends from `address`, which also chooses the interface of what goes to a group; undefined without. */
function openSocket(
  address: string,
  onDatagram: (bytes: Uint8Array) => void,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (bytes) => onDatagram(bytes));
    socket.on("error", () => resolve(undefined));
    socket.bind(0, address, () => resolve(socket));
  });
}
