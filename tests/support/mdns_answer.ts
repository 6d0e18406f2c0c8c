/**
 * One host's answer to a browse, as a responder sends it: names compressed, records in two sections.
 *
 * @module
 */

/** "Deck 1.0" at 192.168.1.20:9777. */
export const SERVICE_ANSWER = Uint8Array.fromHex(
  "000084000000000100000003" +
    // 12: PTR _punktfunk._udp.local → Deck 1.0._punktfunk._udp.local (name at 44)
    "0a5f70756e6b7466756e6b045f756470056c6f63616c00" + "000c000100001194000b" +
    "084465636b20312e30c00c" +
    // SRV of the name at 45, flush bit set, target deck.local
    "c02d" + "002180010000007800" + "0d" + "000000002631" + "046465636bc01c" +
    // TXT of the name at 45
    "c02d" + "00108001000011940020" + "1170726f746f3d70756e6b7466756e6b2f31" +
    "0d706169723d7265717569726564" +
    // A of deck.local at 76
    "c04a" + "00018001000000780004" + "c0a80114",
);
