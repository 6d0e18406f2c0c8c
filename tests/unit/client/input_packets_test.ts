import assert from "node:assert/strict";
import * as input from "../../client/input_packets.ts";
import vectors from "../../vectors/gamestream-input.json" with { type: "json" };

/** The recorded packets in their order, made again. */
const MADE: readonly input.OutgoingInput[] = [
  input.hapticsEnable(),
  input.mouseMove(1, 1),
  input.mouseMove(-1, -1),
  input.mouseMove(5, -3),
  input.mousePosition(100, 200, { widthPixels: 1280, heightPixels: 720 }),
  input.mouseButton(1, true),
  input.mouseButton(1, false),
  input.key(0x41, { isDown: true, modifiers: 1 }),
  input.key(0x41, { isDown: false, modifiers: 1, flags: 1 }),
  input.text("a"),
  input.text("é"),
  input.text("€"),
  input.scroll(120),
  input.horizontalScroll(-60),
  input.padArrival(2, { type: 2, capabilities: 0xba, buttons: 0x30ffff }),
  input.padState(2, { mask: 4 }),
  input.padState(2, {
    mask: 4,
    buttons: 0x11000,
    leftTrigger: 0x80,
    rightTrigger: 0xff,
    leftX: -32768,
    leftY: 32767,
    rightX: 256,
    rightY: -256,
  }),
  input.padTouch(2, { phase: 1, touchpad: 1, pointerId: 7, x: 0.25, y: 0.5, pressure: 1 }),
  input.padMotion(2, 2, { x: 1.5, y: -2, z: 0 }),
  input.padBattery(2, 3, 55),
  input.touch(9, {
    phase: 1,
    x: 0.5,
    y: 0.25,
    pressureOrDistance: 0.75,
    contactMajor: 0.01,
    contactMinor: 0.02,
    rotation: 90,
  }),
  input.touch(9, {
    phase: 3,
    x: 0.5,
    y: 0.3,
    pressureOrDistance: 0.75,
    contactMajor: 0.01,
    contactMinor: 0.02,
    rotation: 90,
  }),
  input.pen({ tool: 1, buttons: 1, tilt: 30 }, {
    phase: 0,
    x: 0.5,
    y: 0.5,
    pressureOrDistance: 0.5,
    rotation: 45,
  }),
];

Deno.test("input packets of the test client are those of the recorded client", () => {
  assert.equal(MADE.length, vectors.packets.length);
  vectors.packets.forEach((recorded, index) => {
    const made = MADE[index];
    assert.equal(made?.packet.toHex(), recorded.packet, recorded.means);
    assert.equal(made?.channel, recorded.enetChannel, recorded.means);
    // The recording's hover went out reliably; the specification lets hovers be lost.
    if (recorded.type !== "pen") assert.equal(made?.delivery, recorded.delivery, recorded.means);
  });
});
