/**
 * How the messages of section 6 of the punktfunk/1 specification are described: one row of a table each.
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { type Fields, type Layout, structOf } from "./fields.ts";
import { newTypedMessage, TYPED_HEAD_BYTES } from "./magic.ts";

/** One type of message. `Body` is what it says besides its kind. */
export interface MessageCodec<Body> {
  /** The byte after the magic. */
  readonly type: number;
  /** The message; undefined when its size or content is not legal, for then it is ignored. */
  decode(payload: Uint8Array): Body | undefined;
  /** The whole message. Throws RangeError for what does not fit. */
  encode(body: Body): Uint8Array<ArrayBuffer>;
}

/** A message of exactly the fields of `layout`. */
export function fixedMessage<L extends Layout>(type: number, layout: L): MessageCodec<Fields<L>> {
  const body = structOf(layout);
  return {
    type,
    decode: (payload) =>
      payload.byteLength === TYPED_HEAD_BYTES + body.sizeBytes
        ? body.read(viewOf(payload), TYPED_HEAD_BYTES)
        : undefined,
    encode(value) {
      const payload = newTypedMessage(type, body.sizeBytes);
      body.write(viewOf(payload), TYPED_HEAD_BYTES, value);
      return payload;
    },
  };
}

/** A message of any other shape: `bytes` are those behind the head. */
export function variableMessage<Body>(
  type: number,
  { decode, encode }: {
    readonly decode: (bytes: Uint8Array) => Body | undefined;
    readonly encode: (body: Body) => Uint8Array;
  },
): MessageCodec<Body> {
  return {
    type,
    decode: (payload) => decode(payload.subarray(TYPED_HEAD_BYTES)),
    encode(value) {
      const bytes = encode(value);
      const payload = newTypedMessage(type, bytes.byteLength);
      payload.set(bytes, TYPED_HEAD_BYTES);
      return payload;
    },
  };
}
