/**
 * Announces services on the local network by DNS-SD over multicast DNS (product specification 8).
 *
 * The library that does it is loaded by {@link openMdns} and not before. Discovery is a convenience: whatever goes wrong
 * with it is told in one sentence, and the host goes on, because clients can be given its address.
 *
 * @module
 */
import type { CiaoService, Responder, ServiceOptions } from "@homebridge/ciao";
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";

/** Without an answer for this long the network is taken not to work; attempts go on. */
export const ANNOUNCE_WAIT_MS = 10_000;
const INSTANCE_NAME_BYTES_MAX = 63;
const HOST_LABEL_CHARACTERS_MAX = 63;

export interface ServiceAdvert {
  /** Name for people; of at most 63 bytes, longer ones are cut. */
  readonly instanceName: string;
  /** Without underscore, e.g. "nvstream". */
  readonly type: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** TXT keys; empty gives a record of one empty string, which some clients insist on. */
  readonly txt: Readonly<Record<string, string>>;
}

export interface MdnsOptions {
  /** Name of this machine; the services' targets begin with it. */
  readonly machineName: string;
  readonly clock: Clock;
  /** One sentence without a full stop for a person to read. */
  readonly onNotice: (sentence: string) => void;
  /** Names of the interfaces to use; all when absent. */
  readonly interfaces?: readonly string[];
}

export interface Mdns extends AsyncDisposable {
  /** Resolves when the service is announced, or was reported as not. Never rejects. */
  advertise(advert: ServiceAdvert): Promise<void>;
  /** Say goodbye for every service. */
  close(): Promise<void>;
}

/** Begin to speak multicast DNS. Never rejects. */
export async function openMdns(options: MdnsOptions): Promise<Mdns> {
  try {
    const { default: ciao } = await import("@homebridge/ciao");
    const responder = ciao.getResponder(
      options.interfaces === undefined ? {} : { interface: [...options.interfaces] },
    );
    return new CiaoMdns(responder, options);
  } catch (error) {
    options.onNotice(unannounced(describeError(error)));
    return new SilentMdns();
  }
}

/**
 * The machine's name and the service's type as the DNS label of a target: others than letters, digits, dots and hyphens
 * become hyphens. The library owns a target alone: it would take the plain name, which the system's own responder answers
 * for, or that of a second service, for somebody else's and rename the service.
 */
export function targetLabelOf(machineName: string, type: string): string {
  const label = machineName.replace(/[^A-Za-z0-9.-]/g, "-").replace(/^[-.]+/, "")
    .slice(0, HOST_LABEL_CHARACTERS_MAX - type.length - 1).replace(/[-.]+$/, "");
  return `${label === "" ? "punktfunk-host" : label}-${type}`;
}

/** An instance name the library carries whole: it takes dots for borders of labels. */
export function instanceNameOf(name: string): string {
  const plain = name.toWellFormed().replace(/[.\p{Cc}]/gu, " ").trim();
  const encoder = new TextEncoder();
  let cut = plain === "" ? "punktfunk" : plain;
  while (encoder.encode(cut).byteLength > INSTANCE_NAME_BYTES_MAX) {
    cut = [...cut].slice(0, -1).join("");
  }
  return cut.trim();
}

class CiaoMdns implements Mdns {
  readonly #responder: Responder;
  readonly #options: MdnsOptions;
  #closing: Promise<void> | undefined;

  constructor(responder: Responder, options: MdnsOptions) {
    this.#responder = responder;
    this.#options = options;
  }

  async advertise(advert: ServiceAdvert): Promise<void> {
    const { clock, onNotice } = this.#options;
    const timeout = Promise.withResolvers<never>();
    const timer = clock.after(ANNOUNCE_WAIT_MS, () => {
      timeout.reject(new Error(`no network answered in ${ANNOUNCE_WAIT_MS / 1000} s`));
    });
    try {
      const service = this.#responder.createService(this.#describe(advert));
      keepAlive(service, onNotice);
      await Promise.race([service.advertise(), timeout.promise]);
      if (!isBound(this.#responder)) throw new Error("no network interface could be used");
    } catch (error) {
      if (this.#closing === undefined) onNotice(unannounced(describeError(error)));
    } finally {
      timer.cancel();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#responder.shutdown().catch(() => {});
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #describe(advert: ServiceAdvert): ServiceOptions {
    return {
      name: instanceNameOf(advert.instanceName),
      type: advert.type,
      // The library declares a const enum, whose values these are.
      protocol: advert.protocol as NonNullable<ServiceOptions["protocol"]>,
      port: advert.port,
      hostname: targetLabelOf(this.#options.machineName, advert.type),
      ...(Object.keys(advert.txt).length === 0 ? {} : { txt: { ...advert.txt } }),
    };
  }
}

class SilentMdns implements Mdns {
  advertise(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Take from the library the two ways in which a change of the network would end the whole program: it exits when it
 * cannot announce again, and leaves a rejection to nobody when it is asked to at a bad moment.
 */
function keepAlive(service: CiaoService, onNotice: (sentence: string) => void): void {
  const event = "republish" as Parameters<CiaoService["on"]>[0];
  const listeners = service.listeners(event);
  service.removeAllListeners(event);
  service.on(event, () => {
    for (const listener of listeners) {
      Promise.resolve(listener.call(service, (error?: Error | null) => {
        if (error) onNotice(unannounced(error.message));
      })).catch((error: unknown) => onNotice(unannounced(describeError(error))));
    }
  });
  service.on("name-change" as Parameters<CiaoService["on"]>[0], (name: string) => {
    onNotice(`Another host on this network has the same name: this one is shown as "${name}"`);
  });
}

/** Whether any socket is open. The library reports a failed one to nobody. */
function isBound(responder: Responder): boolean {
  const { server } = responder as unknown as {
    server: { getBoundInterfaceNames(): Iterable<string> };
  };
  return [...server.getBoundInterfaceNames()].length > 0;
}

function unannounced(reason: string): string {
  return `The host is not announced on this network, clients need its address: ${reason}`;
}
