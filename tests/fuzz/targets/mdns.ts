/**
 * Answers of multicast DNS: anyone on the network may send them.
 *
 * @module
 */
import { decodeDnsAnswer } from "../../../src/discovery/dns_message.ts";
import { ServiceSearch } from "../../../src/discovery/mdns_browse.ts";
import { SERVICE_ANSWER } from "../../support/mdns_answer.ts";
import type { FuzzTarget } from "../target.ts";

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "mdns-answer",
    seeds: [SERVICE_ANSWER],
    run(bytes) {
      decodeDnsAnswer(bytes);
      const search = new ServiceSearch("_punktfunk._udp");
      search.accept(bytes);
      search.services();
      search.questions();
    },
  },
];
