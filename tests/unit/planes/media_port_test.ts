import assert from "node:assert/strict";
import { UdpSocket } from "../../../ffi/wire.ts";
import { NativeError } from "../../../src/lib/errors.ts";
import { MediaPort } from "../../../src/planes/media_port.ts";

const HEARING = { bind: "127.0.0.1", isPing: () => true, onPing() {} };

Deno.test("MediaPort takes another port when the customary one is taken", async () => {
  await using first = MediaPort.open({ ...HEARING, preferredPort: 0 });
  await using second = MediaPort.open({ ...HEARING, preferredPort: first.port });
  assert.notEqual(second.port, first.port);
});

Deno.test("MediaPort tells where a ping came from and passes over what is none", async () => {
  const heard = Promise.withResolvers<number>();
  await using port = MediaPort.open({
    bind: "127.0.0.1",
    preferredPort: 0,
    isPing: (bytes) => bytes.byteLength === 8,
    onPing: (source) => heard.resolve(source.port),
  });
  await using client = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  const destination = { address: "127.0.0.1", port: port.port };
  client.send(new Uint8Array(7), destination);
  client.send(new Uint8Array(8), destination);
  assert.equal(await heard.promise, client.port);
});

Deno.test("MediaPort closes in peace when its socket could not receive", async () => {
  const { receive } = UdpSocket.prototype;
  UdpSocket.prototype.receive = () =>
    Promise.reject(new NativeError("wire", -3, "Cannot receive datagram: socket"));
  try {
    const port = MediaPort.open({ ...HEARING, preferredPort: 0 });
    await new Promise((resolve) => setTimeout(resolve, 0));
    await port.close();
  } finally {
    UdpSocket.prototype.receive = receive;
  }
});
