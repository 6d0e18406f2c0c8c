/**
 * What sessions can be given here.
 *
 * @module
 */
import { softwareVideoCapabilities } from "../media/encoders/openh264.ts";
import type { HostCapabilities } from "./plan.ts";

/** Software encoding alone, for now: no GPU encoder is built in. */
export const SOFTWARE_CAPABILITIES: HostCapabilities = {
  codecs: softwareVideoCapabilities.codecs,
  pixelsMax: softwareVideoCapabilities.pixelsMax,
  bitrateKbpsMax: softwareVideoCapabilities.bitrateKbpsMax,
  slicesMax: softwareVideoCapabilities.slicesMax,
  referenceFramesMax: softwareVideoCapabilities.referenceFramesMax,
  hasReferenceInvalidation: softwareVideoCapabilities.canInvalidateReferences,
  audioChannels: [2, 6, 8],
};
