/**
 * What strangers send to the GameStream HTTP ports: request targets with the parameters of pairing and launching, and
 * certificates.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { parseLaunchParameters } from "../../../src/protocol/gamestream/launch.ts";
import {
  parseRequestTarget,
  readDeviceName,
} from "../../../src/protocol/gamestream/nvhttp_request.ts";
import { decodePairingClient, parsePairRequest } from "../../../src/protocol/gamestream/pairing.ts";
import { decodeCertificate } from "../../../src/protocol/x509_certificate.ts";
import vectors from "../../vectors/gamestream-pairing.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

const LAUNCH =
  "/launch?uniqueid=0123456789ABCDEF&appid=1&mode=1920x1080x59.94&additionalStates=1&sops=1" +
  "&rikey=000102030405060708090a0b0c0d0e0f&rikeyid=-559038737&localAudioPlayMode=0" +
  "&surroundAudioInfo=196610&surroundParams=642014523&remoteControllersBitmap=1&gcpersist=0&corever=1";

function targetOf(parameters: Record<string, string>): Uint8Array {
  return utf8(`/pair?devicename=roth&updateState=1&${new URLSearchParams(parameters)}`);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** As the HTTP server sees it: one character a byte. */
function queryOf(bytes: Uint8Array): URLSearchParams {
  return parseRequestTarget(new TextDecoder("latin1").decode(bytes)).query;
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "gamestream.pairRequest",
    seeds: [
      targetOf(vectors.phase1.request),
      targetOf(vectors.phase2.request),
      targetOf(vectors.phase3.request),
      targetOf(vectors.phase4.request),
      targetOf({ phrase: "pairchallenge" }),
    ],
    run(bytes) {
      const query = queryOf(bytes);
      readDeviceName(query);
      parsePairRequest(query);
    },
  },
  {
    name: "gamestream.launchParameters",
    seeds: [utf8(LAUNCH)],
    run(bytes) {
      parseLaunchParameters(queryOf(bytes), { isResume: false });
    },
  },
  {
    name: "gamestream.pairingClient",
    seeds: [utf8(vectors.clientCertPem)],
    run(bytes) {
      decodePairingClient(bytes);
    },
  },
  {
    name: "x509Certificate",
    seeds: [vectors.clientCertPem, vectors.serverCertPem].map((pem) =>
      new Uint8Array(new X509Certificate(pem).raw)
    ),
    run(bytes) {
      decodeCertificate(bytes);
    },
  },
];
