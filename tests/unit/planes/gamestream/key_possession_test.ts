import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { isPossessionProved } from "../../../../src/planes/gamestream/key_possession.ts";
import { makeCertificate } from "../../../support/certificate_maker.ts";
import { CLIENT, CLIENT_DER, openTestServer } from "../../../support/gamestream_http.ts";
import { askOverTls12 } from "../../../support/tls12_client.ts";
import vectors from "../../../vectors/gamestream-pairing.json" with { type: "json" };

const OWN_KEY = createPrivateKey(CLIENT.key);
const STRANGERS_KEY = createPrivateKey(vectors.serverKeyPem);
const REQUEST = "GET /serverinfo HTTP/1.1\r\n\r\n";
const ALERT_DECRYPT_ERROR = 51;

Deno.test("isPossessionProved() holds for version 3 alone", () => {
  assert.ok(isPossessionProved(CLIENT_DER));
  for (const version of [1, 2] as const) {
    assert.ok(!isPossessionProved(makeCertificate({ version, privateKey: OWN_KEY })));
  }
  assert.ok(!isPossessionProved(new Uint8Array()));
  assert.ok(!isPossessionProved(CLIENT_DER.subarray(1)));
});

Deno.test("openHttpServer() lets nobody in with a paired certificate but without its key", async () => {
  const { server, clients } = await openTestServer();
  try {
    await clients.add(CLIENT_DER, undefined);
    const ask = (certificateDer: Uint8Array, signingKey: typeof OWN_KEY) =>
      askOverTls12(server.httpsPort, { certificateDer, signingKey, request: REQUEST });
    // The same client with the right key gets in, so that what follows fails for the key alone.
    const own = await ask(CLIENT_DER, OWN_KEY);
    assert.ok("text" in own && own.text.includes("<PairStatus>1</PairStatus>"));
    assert.deepEqual(await ask(CLIENT_DER, STRANGERS_KEY), { alert: ALERT_DECRYPT_ERROR });
    // The runtime does not check the key of these; they must be worth nothing.
    for (const version of [1, 2] as const) {
      const certificateDer = makeCertificate({ version, privateKey: OWN_KEY });
      await clients.add(certificateDer, undefined);
      const forged = await ask(certificateDer, STRANGERS_KEY);
      assert.ok("alert" in forged || forged.text.includes('status_code="401"'));
    }
  } finally {
    await server.close();
  }
});
