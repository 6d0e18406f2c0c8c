/**
 * The elements of `/serverinfo` and `/applist` (GameStream specification 2.5, 2.6).
 *
 * @module
 */
import type { XmlElement } from "./nvhttp_xml.ts";

/** Four numbers; a negative last one tells clients that the extensions are spoken. */
export const GAMESTREAM_APP_VERSION = "7.1.431.-1";
/** A version that no client has a complaint about. */
export const GFE_VERSION = "3.23.0.74";
/** Largest picture in HEVC, the figure the original software gave; 0 makes clients drop HEVC. */
const MAX_LUMA_PIXELS_HEVC = "1869449984";
const MAC_UNKNOWN = "00:00:00:00:00:00";

/** Bits of `ServerCodecModeSupport`. */
export const CODEC_MODE_H264 = 0x1;
export const CODEC_MODE_HEVC = 0x100;
export const CODEC_MODE_HEVC_MAIN10 = 0x200;
export const CODEC_MODE_AV1 = 0x10000;
export const CODEC_MODE_AV1_MAIN10 = 0x20000;

/** What holds for every client. */
export interface ServerInfoFacts {
  readonly hostName: string;
  /** Stable id of this host, upper-case UUID. */
  readonly uniqueId: string;
  /** Sum of the `CODEC_MODE_…` bits that can be encoded. */
  readonly codecModeSupport: number;
}

/** What depends on who asks, and over which connection. */
export interface ServerInfoView {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Local address of the connection. */
  readonly localAddress: string;
  /** Hardware address of that interface, `aa:bb:cc:dd:ee:ff`, where it is known and the client may have it. */
  readonly mac: string | undefined;
  readonly isPaired: boolean;
  /** 0 for none, and for whoever is not told. */
  readonly runningAppId: number;
}

export interface AppListEntry {
  readonly id: number;
  readonly title: string;
}

/** Elements of `/serverinfo` in the order clients have always seen them. */
export function describeServer(facts: ServerInfoFacts, view: ServerInfoView): XmlElement[] {
  const hasHevc = (facts.codecModeSupport & (CODEC_MODE_HEVC | CODEC_MODE_HEVC_MAIN10)) !== 0;
  const isIpv4 = /^\d+\.\d+\.\d+\.\d+$/.test(view.localAddress);
  return [
    ["hostname", facts.hostName],
    ["appversion", GAMESTREAM_APP_VERSION],
    ["GfeVersion", GFE_VERSION],
    ["uniqueid", facts.uniqueId],
    ["HttpsPort", `${view.httpsPort}`],
    ["ExternalPort", `${view.httpPort}`],
    ["MaxLumaPixelsHEVC", hasHevc ? MAX_LUMA_PIXELS_HEVC : "0"],
    ["mac", view.mac ?? MAC_UNKNOWN],
    // Clients keep this as a LAN address and ignore the loopback one.
    ["LocalIP", isIpv4 ? view.localAddress : "127.0.0.1"],
    ["ServerCodecModeSupport", `${facts.codecModeSupport}`],
    ["PairStatus", view.isPaired ? "1" : "0"],
    ["currentgame", `${view.runningAppId}`],
    ["state", view.runningAppId === 0 ? "SUNSHINE_SERVER_FREE" : "SUNSHINE_SERVER_BUSY"],
  ];
}

/** One `App` element an entry. `isHdrSupported` is shown by some clients and gates nothing. */
export function describeApps(
  apps: readonly AppListEntry[],
  options: { readonly isHdrSupported: boolean },
): XmlElement[] {
  return apps.map(({ id, title }): XmlElement => ["App", [
    ["IsHdrSupported", options.isHdrSupported ? "1" : "0"],
    ["AppTitle", title],
    ["ID", `${id}`],
  ]]);
}
