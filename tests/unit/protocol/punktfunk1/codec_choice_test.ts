import assert from "node:assert/strict";
import { chooseCodec } from "../../../../src/protocol/punktfunk1/codec_choice.ts";
import type { WireCodec } from "../../../../src/protocol/punktfunk1/enums.ts";

const ALL: readonly WireCodec[] = ["h264", "hevc", "av1", "pyrowave"];

Deno.test("chooseCodec() follows the specification's rule", () => {
  const cases: readonly [number, number, readonly WireCodec[], WireCodec | undefined][] = [
    // client's set, preferred, host's, chosen
    [0, 0, ALL, "hevc"],
    [0, 0, ["h264"], undefined],
    [0b0111, 0, ALL, "hevc"],
    [0b0101, 0, ALL, "av1"],
    [0b0001, 0, ALL, "h264"],
    [0b0111, 0, ["h264"], "h264"],
    [0b0111, 0b0001, ALL, "h264"],
    [0b0111, 0b0100, ALL, "av1"],
    [0b0111, 0b0100, ["h264", "hevc"], "hevc"],
    [0b0011, 0b0100, ALL, "hevc"],
    [0b0111, 0b0101, ALL, "h264"],
    [0b1111, 0b1000, ALL, "pyrowave"],
    [0b1111, 0, ALL, "hevc"],
    [0b1000, 0, ALL, undefined],
    [0b1000, 0b1000, ["hevc"], undefined],
    [0b10000, 0b10000, ALL, undefined],
    [0b0111, 0, [], undefined],
  ];
  for (const [videoCodecs, preferredCodec, hostCodecs, chosen] of cases) {
    assert.equal(
      chooseCodec({ videoCodecs, preferredCodec }, hostCodecs),
      chosen,
      `${videoCodecs} ${preferredCodec} ${hostCodecs}`,
    );
  }
});
