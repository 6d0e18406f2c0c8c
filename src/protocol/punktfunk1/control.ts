/**
 * The control messages of punktfunk/1 (specification 6), those of fetch streams included.
 *
 *     offset  size  field
 *     0       4     "PKFc"
 *     4       1     type
 *     5       …     see control_*.ts; of exactly the size that the type has
 *
 * @module
 */
import { ACCESS_MESSAGES } from "./control_access.ts";
import { CLIPBOARD_MESSAGES } from "./control_clipboard.ts";
import { CLOCK_MESSAGES } from "./control_clock.ts";
import { CURSOR_MESSAGES } from "./control_cursor.ts";
import { LINK_MESSAGES } from "./control_link.ts";
import { VIDEO_MESSAGES } from "./control_video.ts";
import { typeOfMessage } from "./magic.ts";
import type { MessageCodec } from "./message_codec.ts";

const MESSAGES = {
  ...VIDEO_MESSAGES,
  ...LINK_MESSAGES,
  ...CLOCK_MESSAGES,
  ...CLIPBOARD_MESSAGES,
  ...CURSOR_MESSAGES,
  ...ACCESS_MESSAGES,
};

export type ControlKind = keyof typeof MESSAGES;
type BodyOf<Codec> = Codec extends MessageCodec<infer Body> ? Body : never;

/** The message of one kind, e.g. `ControlMessageOf<"loss-report">`. */
export type ControlMessageOf<Kind extends ControlKind> = Kind extends ControlKind
  ? { readonly kind: Kind } & BodyOf<(typeof MESSAGES)[Kind]>
  : never;

export type ControlMessage = ControlMessageOf<ControlKind>;

const KIND_OF_TYPE = new Map(
  Object.entries(MESSAGES).map(([kind, { type }]) => [type, kind as ControlKind]),
);

/** The message, or undefined for what is to be ignored: an unknown type, or a size or content its type cannot have. */
export function decodeControl(payload: Uint8Array): ControlMessage | undefined {
  const type = typeOfMessage(payload);
  const kind = type === undefined ? undefined : KIND_OF_TYPE.get(type);
  if (kind === undefined) return undefined;
  const body = MESSAGES[kind].decode(payload);
  // The table pairs each kind with its body, which the type of an indexed table does not say.
  return body === undefined ? undefined : { kind, ...body } as ControlMessage;
}

/** The whole payload. Throws RangeError for numbers and sizes that do not fit. */
export function encodeControl(message: ControlMessage): Uint8Array<ArrayBuffer> {
  const codec: MessageCodec<unknown> = MESSAGES[message.kind];
  return codec.encode(message);
}
