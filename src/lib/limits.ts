/**
 * Every quantity that a peer, a user or a file can choose has its limit here, with the unit last.
 * Each is tested at the limit and one past it, beside the code that enforces it.
 *
 * @module
 */

/** Modes: what an encoder and a virtual output can be asked for. */
export const MODE_WIDTH_MIN = 64;
export const MODE_WIDTH_MAX = 8192;
export const MODE_HEIGHT_MIN = 64;
export const MODE_HEIGHT_MAX = 8192;
export const REFRESH_MILLIHZ_MIN = 1_000;
export const REFRESH_MILLIHZ_MAX = 1_000_000;

/** Encoder rate; the lower end keeps a picture readable, the upper is the product's ceiling. */
export const BITRATE_KBPS_MIN = 500;
export const BITRATE_KBPS_MAX = 8_000_000;
