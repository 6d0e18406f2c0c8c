/**
 * Between a plane and an input sink: only real changes pass, what is held is known, and everything held can be let go
 * whatever ends the session. Pure.
 *
 * Soft keyboards send a key whose modifier bits are set without ever sending the modifier: the gate presses the left
 * modifier around that key (GameStream specification 6.2). Meta is never made up.
 *
 * @module
 */
import {
  type InputEvent,
  KEY_MODIFIER_ALT,
  KEY_MODIFIER_CTRL,
  KEY_MODIFIER_SHIFT,
  type KeyEvent,
  type PadEvent,
  type PointerButton,
} from "../protocol/input_event.ts";

export type SinkEvent = Exclude<InputEvent, PadEvent>;

/** Modifier bit, the key that is pressed for it, and the keys that already count as it. */
const MODIFIERS = [
  { bit: KEY_MODIFIER_SHIFT, key: 0xa0, keys: [0x10, 0xa0, 0xa1] },
  { bit: KEY_MODIFIER_CTRL, key: 0xa2, keys: [0x11, 0xa2, 0xa3] },
  { bit: KEY_MODIFIER_ALT, key: 0xa4, keys: [0x12, 0xa4, 0xa5] },
] as const;

const MODIFIER_KEYS: ReadonlySet<number> = new Set([
  ...MODIFIERS.flatMap(({ keys }) => keys),
  0x5b,
  0x5c,
]);

/** More contacts than hands have fingers: a peer may not grow the list without end. */
const CONTACTS_MAX = 32;

export class InputGate {
  readonly #inject: (event: SinkEvent) => void;
  readonly #keys = new Map<number, boolean>();
  readonly #buttons = new Set<PointerButton>();
  readonly #contacts = new Set<number>();
  #isPenDown = false;

  constructor(inject: (event: SinkEvent) => void) {
    this.#inject = inject;
  }

  /** Keys, buttons and contacts that are down now. */
  get heldCount(): number {
    return this.#keys.size + this.#buttons.size + this.#contacts.size + (this.#isPenDown ? 1 : 0);
  }

  handle(event: SinkEvent): void {
    switch (event.kind) {
      case "key":
        return this.#key(event);
      case "pointer-button":
        if (this.#buttons.has(event.button) === event.isDown) return;
        if (event.isDown) this.#buttons.add(event.button);
        else this.#buttons.delete(event.button);
        return this.#inject(event);
      case "touch":
        if (event.phase === "cancel-all") this.#contacts.clear();
        else if (event.phase === "up" || event.phase === "cancel") {
          this.#contacts.delete(event.pointerId);
        } else if (event.phase === "down") {
          if (this.#contacts.size >= CONTACTS_MAX) return;
          this.#contacts.add(event.pointerId);
        }
        return this.#inject(event);
      case "pen":
        if (event.phase === "down") this.#isPenDown = true;
        else if (event.phase !== "move" && event.phase !== "button-only") this.#isPenDown = false;
        return this.#inject(event);
      default:
        return this.#inject(event);
    }
  }

  /** Let go of everything, last pressed first. */
  releaseAll(): void {
    for (const [virtualKey, isPositional] of [...this.#keys].reverse()) {
      this.#keys.delete(virtualKey);
      this.#inject({ kind: "key", virtualKey, isDown: false, modifiers: 0, isPositional });
    }
    for (const button of [...this.#buttons].reverse()) {
      this.#buttons.delete(button);
      this.#inject({ kind: "pointer-button", button, isDown: false });
    }
    if (this.#contacts.size > 0) this.handle(touchCancelAll());
    if (this.#isPenDown) this.handle(penCancel());
  }

  #key(event: KeyEvent): void {
    const { virtualKey, isDown } = event;
    if (this.#keys.has(virtualKey) === isDown) return;
    if (!isDown) {
      this.#keys.delete(virtualKey);
      return this.#inject(event);
    }
    const missing = MODIFIER_KEYS.has(virtualKey)
      ? []
      : MODIFIERS.filter(({ bit, keys }) =>
        (event.modifiers & bit) !== 0 && !keys.some((key) => this.#keys.has(key))
      );
    const press = (key: number, isKeyDown: boolean) =>
      this.#inject({
        kind: "key",
        virtualKey: key,
        isDown: isKeyDown,
        modifiers: event.modifiers,
        isPositional: true,
      });
    for (const { key } of missing) press(key, true);
    this.#keys.set(virtualKey, event.isPositional);
    this.#inject(event);
    for (const { key } of missing.reverse()) press(key, false);
  }
}

function touchCancelAll(): SinkEvent {
  return {
    kind: "touch",
    phase: "cancel-all",
    pointerId: 0,
    x: 0,
    y: 0,
    pressureOrDistance: 0,
    contactMajor: 0,
    contactMinor: 0,
    rotationDegrees: undefined,
  };
}

function penCancel(): SinkEvent {
  return {
    kind: "pen",
    phase: "cancel",
    tool: "unknown",
    buttons: 0,
    x: 0,
    y: 0,
    pressureOrDistance: 0,
    contactMajor: 0,
    contactMinor: 0,
    rotationDegrees: undefined,
    tiltDegrees: undefined,
  };
}
