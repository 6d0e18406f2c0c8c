/**
 * Control messages about time (punktfunk/1 specification 6, 8.1). Behind the type, little-endian:
 *
 *     30  clock-probe    u64 t1
 *     31  clock-echo     u64 t1, u64 t2, u64 t3
 *     32  phase-report   u64 latch, u32 period, u32 uncertainty, u32 lead, maybe u16 coherence
 *
 * Times are nanoseconds since the Unix epoch on the clock of whoever took them.
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { structOf, u16, u32, u64, type ValueOf } from "./fields.ts";
import { fixedMessage, variableMessage } from "./message_codec.ts";

const shortReport = structOf({
  /** When the client's display takes its next picture, on the host's clock. */
  nextLatchNs: u64,
  periodNs: u32,
  uncertaintyNs: u32,
  leadNs: u32,
});
export type PhaseReport = ValueOf<typeof shortReport> & {
  /** Thousandths; older clients do not tell. */
  readonly coherencePermille: number | undefined;
};
const COHERENCE_OFFSET = shortReport.sizeBytes;

export const CLOCK_MESSAGES = {
  "clock-probe": fixedMessage(0x30, { sentNs: u64 }),
  "clock-echo": fixedMessage(0x31, {
    /** As the probe said. */
    probeSentNs: u64,
    probeReceivedNs: u64,
    echoSentNs: u64,
  }),
  "phase-report": variableMessage<PhaseReport>(0x32, {
    decode: decodePhaseReport,
    encode: encodePhaseReport,
  }),
};

function decodePhaseReport(bytes: Uint8Array): PhaseReport | undefined {
  const view = viewOf(bytes);
  switch (bytes.byteLength) {
    case COHERENCE_OFFSET:
      return { ...shortReport.read(view, 0), coherencePermille: undefined };
    case COHERENCE_OFFSET + u16.sizeBytes:
      return { ...shortReport.read(view, 0), coherencePermille: u16.read(view, COHERENCE_OFFSET) };
    default:
      return undefined;
  }
}

function encodePhaseReport(body: PhaseReport): Uint8Array {
  const hasCoherence = body.coherencePermille !== undefined;
  const bytes = new Uint8Array(COHERENCE_OFFSET + (hasCoherence ? u16.sizeBytes : 0));
  const view = viewOf(bytes);
  shortReport.write(view, 0, body);
  if (hasCoherence) u16.write(view, COHERENCE_OFFSET, body.coherencePermille);
  return bytes;
}
