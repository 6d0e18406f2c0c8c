import assert from "node:assert/strict";
import {
  deviceFinding,
  gatherDevice,
  parseGroups,
  parseHeldGroups,
} from "../../../src/health/devices.ts";
import { type FakeEntry, fakeMachine } from "./fake_machine.ts";

const USERS = {
  "/etc/passwd": "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n",
  "/etc/group": "root:x:0:\ninput:x:104:ada,bob\n",
};

async function findingFor(
  device: FakeEntry | undefined,
  status = "Name:\tdeno\nGroups:\t27 1000 \n",
) {
  const machine = fakeMachine({
    ...USERS,
    "/proc/self/status": status,
    ...(device === undefined ? {} : { "/dev/uinput": { kind: "other", userId: 0, ...device } }),
  });
  return deviceFinding(await gatherDevice(machine, "uinput"));
}

Deno.test("deviceFinding() is content with a device this user may write to", async () => {
  assert.deepEqual(await findingFor({ isWritable: true, mode: 0o660, groupId: 104 }), {
    state: "ok",
    summary: "/dev/uinput can be written to: Xbox controllers",
  });
});

Deno.test("deviceFinding() has the module loaded when the device is not there", async () => {
  const finding = await findingFor(undefined);
  assert.equal(finding.state, "warning");
  assert.match(finding.remedy ?? "", /^sudo modprobe uinput\necho uinput \| sudo tee/);
});

Deno.test("deviceFinding() gives the rule when the device is closed to this user", async () => {
  const finding = await findingFor({ isWritable: false, mode: 0o600, groupId: 0 });
  assert.equal(finding.state, "warning");
  assert.match(
    finding.remedy ?? "",
    /^echo 'KERNEL=="uinput", SUBSYSTEM=="misc", .*TAG\+="uaccess"' \| sudo tee -a \/etc\/udev\/rules\.d\//,
  );
});

Deno.test("deviceFinding() tells a group that wants a new login from one that does not help", async () => {
  const device = { isWritable: false, groupId: 104 };
  const stale = await findingFor({ ...device, mode: 0o660 });
  assert.equal(stale.remedy, "Log out of the desktop and in again");
  assert.match(stale.summary, /in the group input/);
  const held = await findingFor({ ...device, mode: 0o660 }, "Groups:\t104\n");
  assert.match(held.remedy ?? "", /udev/);
  const readOnly = await findingFor({ ...device, mode: 0o640 });
  assert.match(readOnly.remedy ?? "", /udev/);
});

Deno.test("parseGroups() and parseHeldGroups() pass over what is no group", () => {
  const groups = parseGroups("a:x:1:\nbroken\nb:x:no:c\n\nc:x:2:ada,,bob\n");
  assert.deepEqual([...groups], [
    [1, { name: "a", members: [] }],
    [2, { name: "c", members: ["ada", "bob"] }],
  ]);
  assert.deepEqual([...parseHeldGroups("Groups:\t\n")], []);
  assert.deepEqual([...parseHeldGroups("NoGroups:\t1\nGroups:\t0 27 \nX:\t5")], [0, 27]);
  assert.deepEqual([...parseHeldGroups("")], []);
});
