import assert from "node:assert/strict";
import {
  firewallFinding,
  gatherFirewalls,
  gatherMdns,
  mdnsFinding,
  multicastInterfaces,
  sendBufferFinding,
} from "../../../src/health/network.ts";
import { wantedPorts } from "../../../src/health/ports.ts";
import { fakeMachine, process } from "./fake_machine.ts";

const WANTED = wantedPorts({
  nativePort: 9777,
  managementPort: 47_990,
  gamestreamPortBase: 47_989,
  isGamestreamOn: true,
}).filter(({ isForClients }) => isForClients);

Deno.test("multicastInterfaces() are up, carry multicast and are no loopback", async () => {
  const machine = fakeMachine({
    "/sys/class/net/wlan0/flags": "0x1003\n",
    "/sys/class/net/eth0/flags": "0x1003\n",
    "/sys/class/net/eth1/flags": "0x1002\n",
    "/sys/class/net/lo/flags": "0x1009\n",
    "/sys/class/net/tun0/flags": "0x91\n",
    "/sys/class/net/gone/address": "",
  });
  assert.deepEqual(await multicastInterfaces(machine), ["eth0", "wlan0"]);
  assert.equal(await multicastInterfaces(fakeMachine()), undefined);
});

Deno.test("mdnsFinding() tells who else answers, and what keeps the host from being found", () => {
  const free = { isTaken: false, owner: undefined };
  const facts = { isOn: true, use: free, canBind: true, interfaces: ["eth0"] };
  const owner = { processId: 7, name: "avahi-daemon" };
  const table = [
    [facts, "ok", "Clients can find this host by eth0"],
    [{ ...facts, interfaces: undefined }, "ok", "Clients can find this host"],
    [
      { ...facts, use: { isTaken: true, owner } },
      "ok",
      "Clients can find this host by eth0, beside avahi-daemon (7)",
    ],
    [
      { ...facts, use: { isTaken: true, owner: undefined } },
      "ok",
      "Clients can find this host by eth0, beside another responder",
    ],
    [
      { ...facts, use: { isTaken: true, owner }, canBind: false },
      "warning",
      "UDP 5353 cannot be shared with avahi-daemon (7): clients need this host's address",
    ],
    [
      { ...facts, interfaces: [] },
      "warning",
      "No network interface is up that carries multicast: clients need this host's address",
    ],
    [{ ...facts, isOn: false }, "skipped", "The host is not announced: mdns is off"],
  ] as const;
  for (const [given, state, summary] of table) {
    const finding = mdnsFinding(given);
    assert.deepEqual([finding.state, finding.summary], [state, summary]);
    assert.equal(finding.remedy !== undefined, state === "warning");
  }
});

Deno.test("gatherMdns() opens no socket when the host is not announced", async () => {
  const facts = await gatherMdns(fakeMachine(), { isOn: false });
  assert.equal(facts.canBind, true);
  assert.equal(facts.interfaces, undefined);
});

Deno.test("gatherFirewalls() knows them by what everybody may read", async () => {
  assert.deepEqual(await gatherFirewalls(fakeMachine()), []);
  assert.deepEqual(
    await gatherFirewalls(fakeMachine({
      "/etc/ufw/ufw.conf": "# ENABLED=yes\nENABLED=no\n",
      "/usr/sbin/nft": "",
      ...process(1, "firewalld-gui"),
    })),
    [],
  );
  assert.deepEqual(
    await gatherFirewalls(fakeMachine({
      "/etc/ufw/ufw.conf": "LOGLEVEL=low\nENABLED=yes\n",
      "/etc/systemd/system/sysinit.target.wants/nftables.service": "",
      "/etc/systemd/system/multi-user.target.wants/nftables.service": "",
      ...process(1, "firewalld"),
    })),
    ["ufw", "firewalld", "nftables"],
  );
});

Deno.test("firewallFinding() gives the exact commands that let clients in", () => {
  const options = { wanted: WANTED, isMdnsOn: true };
  assert.equal(firewallFinding([], options).state, "ok");
  assert.deepEqual(firewallFinding(["ufw"], options), {
    state: "unknown",
    summary: "ufw is on, and only root can see whether it lets clients in",
    remedy: "sudo ufw allow 47984,47989,48010/tcp\n" +
      "sudo ufw allow 9777,47998,47999,48000,5353/udp",
  });
  const both = firewallFinding(["firewalld", "nftables"], {
    wanted: WANTED.slice(0, 1),
    isMdnsOn: false,
  });
  assert.equal(
    both.remedy,
    "sudo firewall-cmd --permanent --add-port=9777/udp\n" +
      "sudo firewall-cmd --reload\n" +
      "sudo nft add rule inet filter input udp dport '{ 9777 }' accept",
  );
});

Deno.test("sendBufferFinding() wants what the wire shim asks for, and not a byte less", async () => {
  const source = await Deno.readTextFile(
    new URL("../../../native/wire/udp.c", import.meta.url),
  );
  const [, base, shift] = /#define BUFFER_SIZE \((\d+) << (\d+)\)/.exec(source) ?? [];
  const bytes = Number(base) << Number(shift);
  assert.equal(sendBufferFinding(`${bytes}\n`).state, "ok");
  const finding = sendBufferFinding(`${bytes - 1}\n`);
  assert.equal(finding.state, "warning");
  assert.match(finding.remedy ?? "", new RegExp(`net\\.core\\.wmem_max=${bytes} `));
  assert.equal(sendBufferFinding(undefined).state, "unknown");
});
