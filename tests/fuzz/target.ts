/**
 * One parser under fuzz. `run` may throw ProtocolError and nothing else.
 *
 * @module
 */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs to mutate. */
  readonly seeds: readonly Uint8Array[];
  run(bytes: Uint8Array): void;
}
