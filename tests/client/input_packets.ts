/**
 * Input packets as stock clients write them, with the channel they go out on (GameStream specification 5.7, 6).
 *
 * @module
 */

export interface OutgoingInput {
  readonly packet: Uint8Array;
  readonly channel: number;
  readonly delivery: "reliable" | "unreliable";
}

type Write = (view: DataView) => void;

const CHANNEL = { generic: 0, keyboard: 2, mouse: 3, pen: 4, touch: 5, text: 6 } as const;
const CHANNEL_PAD = 0x10;
const CHANNEL_PAD_SENSORS = 0x20;
/** Moves and hovers may be lost; the next one makes up for it. */
const UNRELIABLE_PHASES: readonly number[] = [0, 3];

function packetOf(type: number, bodySizeBytes: number, write: Write): Uint8Array {
  const packet = new Uint8Array(8 + bodySizeBytes);
  const view = new DataView(packet.buffer);
  view.setUint32(0, 4 + bodySizeBytes);
  view.setUint32(4, type, true);
  write(new DataView(packet.buffer, 8));
  return packet;
}

const reliable = (channel: number, packet: Uint8Array): OutgoingInput => ({
  packet,
  channel,
  delivery: "reliable",
});

export function hapticsEnable(): OutgoingInput {
  return reliable(CHANNEL.generic, packetOf(0x0d, 2, (view) => view.setUint16(0, 1, true)));
}

export function key(
  virtualKey: number,
  options: { readonly isDown: boolean; readonly modifiers?: number; readonly flags?: number },
): OutgoingInput {
  const type = options.isDown ? 0x03 : 0x04;
  return reliable(
    CHANNEL.keyboard,
    packetOf(type, 6, (view) => {
      view.setUint8(0, options.flags ?? 0);
      view.setUint16(1, 0x8000 | virtualKey, true);
      view.setUint8(3, options.modifiers ?? 0);
    }),
  );
}

/** One code point. */
export function text(character: string): OutgoingInput {
  const bytes = new TextEncoder().encode(character);
  return reliable(
    CHANNEL.text,
    packetOf(0x17, bytes.length, (view) => {
      bytes.forEach((byte, index) => view.setUint8(index, byte));
    }),
  );
}

export function mouseMove(dx: number, dy: number): OutgoingInput {
  return reliable(
    CHANNEL.mouse,
    packetOf(0x07, 4, (view) => {
      view.setInt16(0, dx);
      view.setInt16(2, dy);
    }),
  );
}

export function mousePosition(
  x: number,
  y: number,
  reference: { readonly widthPixels: number; readonly heightPixels: number },
): OutgoingInput {
  return reliable(
    CHANNEL.mouse,
    packetOf(0x05, 10, (view) => {
      view.setInt16(0, x);
      view.setInt16(2, y);
      view.setInt16(6, reference.widthPixels - 1);
      view.setInt16(8, reference.heightPixels - 1);
    }),
  );
}

/** 1 left, 2 middle, 3 right, 4 back, 5 forward. */
export function mouseButton(button: number, isDown: boolean): OutgoingInput {
  return reliable(
    CHANNEL.mouse,
    packetOf(isDown ? 0x08 : 0x09, 1, (view) => view.setUint8(0, button)),
  );
}

export function scroll(amount120: number): OutgoingInput {
  return reliable(
    CHANNEL.mouse,
    packetOf(0x0a, 6, (view) => {
      view.setInt16(0, amount120);
      view.setInt16(2, amount120);
    }),
  );
}

export function horizontalScroll(amount120: number): OutgoingInput {
  return reliable(
    CHANNEL.mouse,
    packetOf(0x5500_0001, 2, (view) => view.setInt16(0, amount120)),
  );
}

export function padArrival(
  pad: number,
  options: { readonly type: number; readonly capabilities: number; readonly buttons: number },
): OutgoingInput {
  return reliable(
    CHANNEL_PAD + pad,
    packetOf(0x5500_0004, 8, (view) => {
      view.setUint8(0, pad);
      view.setUint8(1, options.type);
      view.setUint16(2, options.capabilities, true);
      view.setUint32(4, options.buttons, true);
    }),
  );
}

export interface PadState {
  /** Every pad that is there, one bit each. */
  readonly mask: number;
  readonly buttons?: number;
  readonly leftTrigger?: number;
  readonly rightTrigger?: number;
  readonly leftX?: number;
  readonly leftY?: number;
  readonly rightX?: number;
  readonly rightY?: number;
}

export function padState(pad: number, state: PadState): OutgoingInput {
  const { buttons = 0 } = state;
  return reliable(
    CHANNEL_PAD + pad,
    packetOf(0x0c, 26, (view) => {
      view.setUint16(0, 0x1a, true);
      view.setUint16(2, pad, true);
      view.setUint16(4, state.mask, true);
      view.setUint16(6, 0x14, true);
      view.setUint16(8, buttons & 0xffff, true);
      view.setUint8(10, state.leftTrigger ?? 0);
      view.setUint8(11, state.rightTrigger ?? 0);
      view.setInt16(12, state.leftX ?? 0, true);
      view.setInt16(14, state.leftY ?? 0, true);
      view.setInt16(16, state.rightX ?? 0, true);
      view.setInt16(18, state.rightY ?? 0, true);
      view.setUint16(20, 0x9c, true);
      view.setUint16(22, buttons >>> 16, true);
      view.setUint16(24, 0x55, true);
    }),
  );
}

export function padTouch(
  pad: number,
  touch: {
    readonly phase: number;
    readonly touchpad: number;
    readonly pointerId: number;
    readonly x: number;
    readonly y: number;
    readonly pressure: number;
  },
): OutgoingInput {
  return reliable(
    CHANNEL_PAD + pad,
    packetOf(0x5500_0005, 20, (view) => {
      view.setUint8(0, pad);
      view.setUint8(1, touch.phase);
      view.setUint8(3, touch.touchpad);
      view.setUint32(4, touch.pointerId, true);
      view.setFloat32(8, touch.x, true);
      view.setFloat32(12, touch.y, true);
      view.setFloat32(16, touch.pressure, true);
    }),
  );
}

/** Sensor 1 accelerometer, 2 gyroscope. */
export function padMotion(
  pad: number,
  sensor: 1 | 2,
  axes: { readonly x: number; readonly y: number; readonly z: number },
): OutgoingInput {
  const packet = packetOf(0x5500_0006, 16, (view) => {
    view.setUint8(0, pad);
    view.setUint8(1, sensor);
    view.setFloat32(4, axes.x, true);
    view.setFloat32(8, axes.y, true);
    view.setFloat32(12, axes.z, true);
  });
  return { packet, channel: CHANNEL_PAD_SENSORS + pad, delivery: "unreliable" };
}

export function padBattery(pad: number, state: number, percent: number): OutgoingInput {
  return reliable(
    CHANNEL_PAD + pad,
    packetOf(0x5500_0007, 4, (view) => {
      view.setUint8(0, pad);
      view.setUint8(1, state);
      view.setUint8(2, percent);
    }),
  );
}

export interface Contact {
  readonly phase: number;
  readonly x: number;
  readonly y: number;
  readonly pressureOrDistance: number;
  readonly contactMajor?: number;
  readonly contactMinor?: number;
  /** 0xffff unknown. */
  readonly rotation?: number;
}

export function touch(pointerId: number, contact: Contact): OutgoingInput {
  const packet = packetOf(0x5500_0002, 28, (view) => {
    view.setUint8(0, contact.phase);
    view.setUint16(2, contact.rotation ?? 0xffff, true);
    view.setUint32(4, pointerId, true);
    view.setFloat32(8, contact.x, true);
    view.setFloat32(12, contact.y, true);
    view.setFloat32(16, contact.pressureOrDistance, true);
    view.setFloat32(20, contact.contactMajor ?? 0, true);
    view.setFloat32(24, contact.contactMinor ?? 0, true);
  });
  return { packet, channel: CHANNEL.touch, delivery: deliveryOf(contact.phase) };
}

export function pen(
  tool: { readonly tool: number; readonly buttons: number; readonly tilt?: number },
  contact: Contact,
): OutgoingInput {
  const packet = packetOf(0x5500_0003, 28, (view) => {
    view.setUint8(0, contact.phase);
    view.setUint8(1, tool.tool);
    view.setUint8(2, tool.buttons);
    view.setFloat32(4, contact.x, true);
    view.setFloat32(8, contact.y, true);
    view.setFloat32(12, contact.pressureOrDistance, true);
    view.setUint16(16, contact.rotation ?? 0xffff, true);
    view.setUint8(18, tool.tilt ?? 0xff);
    view.setFloat32(20, contact.contactMajor ?? 0, true);
    view.setFloat32(24, contact.contactMinor ?? 0, true);
  });
  return { packet, channel: CHANNEL.pen, delivery: deliveryOf(contact.phase) };
}

function deliveryOf(phase: number): OutgoingInput["delivery"] {
  return UNRELIABLE_PHASES.includes(phase) ? "unreliable" : "reliable";
}
