import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeXmlDocument } from "../../../../src/protocol/gamestream/nvhttp_xml.ts";
import { describeApps, describeServer } from "../../../../src/protocol/gamestream/server_info.ts";

const HEAD = '<?xml version="1.0" encoding="utf-8"?>\n';

Deno.test("encodeXmlDocument() writes no text between elements and the status first", () => {
  const text = encodeXmlDocument({
    statusCode: 503,
    statusMessage: `"busy" & <gone>`,
    elements: [["a", "1"], ["b", [["c", "x'y"], ["d", ""]]]],
  });
  assert.equal(
    text,
    `${HEAD}<root status_code="503" status_message="&quot;busy&quot; &amp; &lt;gone&gt;">` +
      "<a>1</a><b><c>x&apos;y</c><d></d></b></root>",
  );
  assert.equal(encodeXmlDocument({ statusCode: 200 }), `${HEAD}<root status_code="200"></root>`);
});

Deno.test("encodeXmlDocument() turns any text into markup-free, allowed characters", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const document = encodeXmlDocument({ statusCode: 200, elements: [["a", text]] });
    const inner = document.slice(document.indexOf("<a>") + 3, -"</a></root>".length);
    assert.ok(!/[<>"']/.test(inner));
    // deno-lint-ignore no-control-regex -- the characters XML 1.0 forbids
    assert.ok(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(inner));
    assert.ok(inner.isWellFormed());
    assert.ok(!/&(?!(amp|lt|gt|quot|apos);)/.test(inner));
  }));
  const document = encodeXmlDocument({ statusCode: 200, elements: [["a", "\ud800|\u0000|😀"]] });
  assert.ok(document.includes("<a>\ufffd||😀</a>"));
});

Deno.test("describeServer() gives an unpaired client the answer of the specification", () => {
  const elements = describeServer({
    hostName: "Studio PC",
    uniqueId: "6F1B0C5E-5A36-4B6E-9F0E-0C2B7B1A9D11",
    codecModeSupport: 197377,
  }, {
    httpPort: 47989,
    httpsPort: 47984,
    localAddress: "192.0.2.7",
    mac: undefined,
    isPaired: false,
    runningAppId: 0,
  });
  assert.equal(
    encodeXmlDocument({ statusCode: 200, elements }),
    HEAD +
      '<root status_code="200"><hostname>Studio PC</hostname><appversion>7.1.431.-1</appversion>' +
      "<GfeVersion>3.23.0.74</GfeVersion><uniqueid>6F1B0C5E-5A36-4B6E-9F0E-0C2B7B1A9D11</uniqueid>" +
      "<HttpsPort>47984</HttpsPort><ExternalPort>47989</ExternalPort>" +
      "<MaxLumaPixelsHEVC>1869449984</MaxLumaPixelsHEVC><mac>00:00:00:00:00:00</mac>" +
      "<LocalIP>192.0.2.7</LocalIP><ServerCodecModeSupport>197377</ServerCodecModeSupport>" +
      "<PairStatus>0</PairStatus><currentgame>0</currentgame>" +
      "<state>SUNSHINE_SERVER_FREE</state></root>",
  );
});

Deno.test("describeServer() keeps state, game, codec and address consistent", () => {
  const elements = new Map(describeServer({
    hostName: "a",
    uniqueId: "b",
    codecModeSupport: 1,
  }, {
    httpPort: 1,
    httpsPort: 2,
    localAddress: "fe80::1",
    mac: "02:00:00:00:00:01",
    isPaired: true,
    runningAppId: 7,
  }));
  assert.equal(elements.get("MaxLumaPixelsHEVC"), "0");
  assert.equal(elements.get("mac"), "02:00:00:00:00:01");
  assert.equal(elements.get("LocalIP"), "127.0.0.1");
  assert.equal(elements.get("PairStatus"), "1");
  assert.equal(elements.get("currentgame"), "7");
  assert.equal(elements.get("state"), "SUNSHINE_SERVER_BUSY");
});

Deno.test("describeApps() puts nothing before the first App", () => {
  const elements = describeApps([{ id: 1, title: "Desktop" }, { id: 2, title: "A & B" }], {
    isHdrSupported: false,
  });
  assert.equal(
    encodeXmlDocument({ statusCode: 200, elements }),
    `${HEAD}<root status_code="200">` +
      "<App><IsHdrSupported>0</IsHdrSupported><AppTitle>Desktop</AppTitle><ID>1</ID></App>" +
      "<App><IsHdrSupported>0</IsHdrSupported><AppTitle>A &amp; B</AppTitle><ID>2</ID></App></root>",
  );
});
