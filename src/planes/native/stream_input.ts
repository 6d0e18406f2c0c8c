/**
 * What a native client sends besides control: input and its voice (native specification 7).
 *
 *     datagram, or the event of an InputEdge → grants → mapper → session
 *
 * What cannot be read or is not granted is dropped without a word.
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import { GRANTS, hasBits } from "../../protocol/punktfunk1/caps.ts";
import { decodeDatagram } from "../../protocol/punktfunk1/datagrams/datagram.ts";
import { decodeInput, type WireInput } from "../../protocol/punktfunk1/datagrams/input.ts";
import { isInputGranted } from "../../protocol/punktfunk1/datagrams/input_grants.ts";
import { InputMapper } from "../../protocol/punktfunk1/datagrams/input_mapper.ts";
import type { PadKind } from "../../protocol/punktfunk1/enums.ts";
import type { Session } from "../../session/session.ts";

export interface StreamInputOptions {
  readonly session: Pick<Session, "input" | "voice" | "releaseInput">;
  readonly clock: Clock;
  readonly padKind: PadKind;
  readonly grants: number;
}

export class StreamInput implements Disposable {
  readonly #session: StreamInputOptions["session"];
  readonly #mapper: InputMapper;
  #grants: number;

  constructor({ session, clock, padKind, grants }: StreamInputOptions) {
    this.#session = session;
    this.#grants = grants;
    this.#mapper = new InputMapper({ clock, padKind, emit: (event) => session.input(event) });
  }

  /** What is held by a right that is gone is let go. */
  setGrants(grants: number): void {
    const isShrinking = (this.#grants & ~grants) !== 0;
    this.#grants = grants;
    if (isShrinking) this.#release();
  }

  datagram(bytes: Uint8Array): void {
    const datagram = decodeDatagram(bytes);
    switch (datagram?.type) {
      case "input":
        return this.#apply(datagram.body);
      case "rich-input":
        if (isInputGranted(datagram.body, this.#grants)) this.#mapper.applyRich(datagram.body);
        return;
      case "microphone":
        if (!hasBits(this.#grants, GRANTS.microphone)) return;
        return this.#session.voice({
          sequence: datagram.body.sequence,
          payload: datagram.body.payload.slice(),
        });
      default:
        return;
    }
  }

  /** The 18 bytes of an InputEdge. */
  edge(event: Uint8Array): void {
    const input = decodeInput(event);
    if (input !== undefined) this.#apply(input);
  }

  [Symbol.dispose](): void {
    this.#release();
  }

  #apply(input: WireInput): void {
    if (isInputGranted(input, this.#grants)) this.#mapper.apply(input);
  }

  #release(): void {
    this.#mapper.releaseAll();
    this.#session.releaseInput();
  }
}
