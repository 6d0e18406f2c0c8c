/**
 * What a peer of the control stream can make the other side keep or compute. Section 5.4 leaves the numbers to the
 * implementer; clients send commands of a few hundred bytes.
 *
 * @module
 */

/** Section 5.3: own MTU, and what a peer's is clamped to. UDP payload, without IP and UDP headers. */
export const MTU_BYTES_OWN = 1392;
export const MTU_BYTES_MIN = 576;
export const MTU_BYTES_MAX = 4096;

/** Section 5.3: the client asks for 48; more have no use. */
export const CHANNEL_COUNT_MAX = 64;

/** Reliable bytes in flight. */
export const WINDOW_BYTES_MAX = 65_536;

/** Commands in one datagram, as the reference sender fills it. */
export const DATAGRAM_COMMANDS_MAX = 32;

/** A message put together from fragments, and the number of its fragments. */
export const MESSAGE_BYTES_MAX = 32_768;
export const FRAGMENT_COUNT_MAX = 256;

/** What one peer may have buffered ahead of its turn, each entry charged with its own overhead. */
export const REORDER_BYTES_MAX = 262_144;
export const REORDER_ENTRY_BYTES = 64;

/** What may wait to be sent to one peer; a live one empties it within a round trip. */
export const SEND_QUEUE_BYTES_MAX = 262_144;
export const IN_FLIGHT_COMMANDS_MAX = 1024;
/** Distance of the oldest unacknowledged number to the newest: within the receiver's seven windows of 4096. */
export const IN_FLIGHT_SPAN_MAX = 4096;

/** Peers of one server, and how many of them may be in the handshake. */
export const PEER_COUNT_MAX = 16;
export const HALF_OPEN_COUNT_MAX = 8;

/** Section 5.5, as the client sets it: silence after which a peer is lost. */
export const PEER_TIMEOUT_MS = 10_000;
export const PING_INTERVAL_MS = 500;
