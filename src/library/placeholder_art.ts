/**
 * The picture for applications without art of their own (GameStream specification 2.7).
 *
 * Of exactly 628 x 888 pixels: clients take that size for a placeholder and draw the title over it.
 *
 * @module
 */
import { encodePng } from "./png.ts";

export const PLACEHOLDER_WIDTH_PIXELS = 628;
export const PLACEHOLDER_HEIGHT_PIXELS = 888;

type Colour = readonly [red: number, green: number, blue: number];

const TOP: Colour = [38, 30, 64];
const BOTTOM: Colour = [12, 14, 26];
const EMBLEM: Colour = [236, 106, 94];

/** The emblem: a ring with a play mark in it, above the middle where the title goes. */
const CENTRE_X = PLACEHOLDER_WIDTH_PIXELS / 2;
const CENTRE_Y = 330;
const RING_RADIUS = 120;
const RING_HALF_WIDTH = 9;
const MARK_RADIUS = 62;

/** The picture as PNG. The same bytes every time. */
export function drawPlaceholderArt(): Uint8Array<ArrayBuffer> {
  const size = {
    widthPixels: PLACEHOLDER_WIDTH_PIXELS,
    heightPixels: PLACEHOLDER_HEIGHT_PIXELS,
  };
  const rgb = new Uint8Array(size.widthPixels * size.heightPixels * 3);
  let offset = 0;
  for (let y = 0; y < size.heightPixels; y++) {
    const ground = mix(TOP, BOTTOM, y / (size.heightPixels - 1));
    for (let x = 0; x < size.widthPixels; x++) {
      rgb.set(mix(ground, EMBLEM, emblemCoverage(x + 0.5 - CENTRE_X, y + 0.5 - CENTRE_Y)), offset);
      offset += 3;
    }
  }
  return encodePng(rgb, size);
}

/** How much of the pixel at this offset from the centre the emblem covers, 0 to 1, with soft edges. */
function emblemCoverage(x: number, y: number): number {
  const distance = Math.hypot(x, y);
  if (distance > RING_RADIUS + RING_HALF_WIDTH + 1) return 0;
  const ring = RING_HALF_WIDTH - Math.abs(distance - RING_RADIUS);
  // Distance to the nearest of the three sides of a triangle that points right.
  const slanted = MARK_RADIUS / 2 - (x / 2 + Math.abs(y) * Math.sqrt(3) / 2);
  const mark = Math.min(x + MARK_RADIUS / 2, slanted);
  return Math.min(1, Math.max(0, Math.max(ring, mark) + 0.5));
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const channel = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * share);
  return [channel(0), channel(1), channel(2)];
}
