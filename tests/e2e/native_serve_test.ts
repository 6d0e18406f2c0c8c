/**
 * The native plane of a whole host: operators decide through the API while clients, each a process, stream.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type HostLab, openHostLab } from "./host_lab.ts";
import { type ProbeRun, runProbe } from "./native_lab.ts";

interface Lab extends AsyncDisposable {
  readonly host: HostLab;
  /** A client that keeps what it knows in a directory called `name`. */
  probe(name: string, ...args: string[]): Promise<ProbeRun>;
}

async function openLab(options: Parameters<typeof openHostLab>[0] = {}): Promise<Lab> {
  const host = await openHostLab({ isGamestreamOn: false, ...options });
  const directory = await Deno.makeTempDir({ prefix: "pf-clients-" });
  const { ports } = await (await host.api("/host")).json();
  return {
    host,
    probe: (name, ...args) =>
      runProbe(ports.native, { quic: "quinn", directory: `${directory}/${name}`, args }),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

interface Pending {
  readonly id: number;
  readonly name: string;
  readonly source: string;
}

async function knock(lab: Lab, name: string, ...args: string[]) {
  const end = args.length === 0 ? ["--frames", "30"] : args;
  const running = lab.probe(name, "--name", name, "--wait-approval", ...end);
  const [pending] = await lab.host.until<Pending[]>("/native/pending", (list) => list.length > 0);
  assert.ok(pending);
  return { running, pending };
}

Deno.test("An unknown device waits for approval and streams on the connection it waited on", async () => {
  await using lab = await openLab();
  const { running, pending } = await knock(lab, "Deck");
  assert.deepEqual([pending.name, pending.source], ["Deck", "lan"]);
  const answer = await lab.host.api(`/native/pending/${pending.id}/approve`, {
    method: "POST",
    body: { name: "Living room" },
  });
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).name, "Living room");
  const { code, result } = await running;
  assert.deepEqual([code, result?.stream?.frames.received], [0, 30]);
  // It is known now: nobody is asked again.
  assert.equal((await lab.probe("Deck", "--frames", "10")).code, 0);
});

Deno.test("A device that is denied is told so", async () => {
  await using lab = await openLab();
  const { running, pending } = await knock(lab, "Deck");
  const path = `/native/pending/${pending.id}/deny`;
  assert.equal((await lab.host.api(path, { method: "POST" })).status, 204);
  const { code, error } = await running;
  assert.equal(code, 1);
  assert.match(error?.message ?? "", /denied/);
});

Deno.test("A guest's stream ends with its access, and the guest has to ask again", async () => {
  await using lab = await openLab();
  const { running, pending } = await knock(lab, "Guest", "--seconds", "60");
  const path = `/native/pending/${pending.id}/approve`;
  const answer = await lab.host.api(path, { method: "POST", body: { expires_in_secs: 3 } });
  assert.equal(answer.status, 200);
  const { code, result } = await running;
  assert.deepEqual([code, result?.stream?.close], [1, "access-expired"]);
  const again = await knock(lab, "Guest");
  await lab.host.api(`/native/pending/${again.pending.id}/deny`, { method: "POST" });
  assert.equal((await again.running).code, 1);
});

Deno.test("A PIN from the API pairs, and an unpaired device is cut off in the middle of its stream", async () => {
  await using lab = await openLab();
  const armed = await lab.host.api("/native/pair/arm", { method: "POST", body: {} });
  const { pin } = await armed.json();
  const running = lab.probe("Deck", "--pin", pin, "--seconds", "60");
  interface Status {
    readonly video_streaming: boolean;
    readonly sessions: readonly { readonly client: string; readonly plane: string }[];
  }
  const status = await lab.host.until<Status>("/status", (one) => one.video_streaming);
  const [session] = status.sessions;
  assert.equal(session?.plane, "native");
  const path = `/native/clients/${session.client}`;
  assert.equal((await lab.host.api(path, { method: "DELETE" })).status, 204);
  const { code, result } = await running;
  assert.deepEqual([code, result?.stream?.close], [1, "access-expired"]);
  const again = await lab.probe("Deck", "--timeout", "1");
  assert.notEqual(again.code, 0);
});

Deno.test("Four sessions stream at once, and a fifth begins when one of them ends", async () => {
  await using lab = await openLab({ pairingPolicy: "open" });
  interface Status {
    readonly active_sessions: number;
  }
  const long = [1, 2, 3, 4].map((n) =>
    lab.probe(`long ${n}`, "--mode", "320x180@30", "--seconds", "8")
  );
  await lab.host.until<Status>("/status", (one) => one.active_sessions === 4);
  const fifth = lab.probe("fifth", "--mode", "320x180@30", "--frames", "10", "--timeout", "60");
  const first = await Promise.race([...long, fifth]);
  assert.equal(
    first.result?.stream?.frames.expected,
    null,
    "the fifth ended before any of the four",
  );
  for (const run of [...await Promise.all(long), await fifth]) {
    assert.deepEqual(run.result?.problems, []);
    assert.equal(run.code, 0);
  }
});

Deno.test("One session of two is stopped, and the other goes on", async () => {
  await using lab = await openLab({ pairingPolicy: "open" });
  interface Status {
    readonly sessions: readonly { readonly id: number }[];
  }
  const first = lab.probe("first", "--mode", "320x180@30", "--seconds", "60");
  await lab.host.until<Status>("/status", ({ sessions }) => sessions.length === 1);
  const second = lab.probe("second", "--mode", "320x180@30", "--seconds", "3");
  const { sessions } = await lab.host.until<Status>("/status", (one) => one.sessions.length === 2);
  const id = sessions[0]?.id ?? 0;
  const muted = await lab.host.api(`/session/${id}/audio`, {
    method: "PUT",
    body: { muted: true },
  });
  assert.equal(muted.status, 204);
  const access = await lab.host.api(`/session/${id}/access`, {
    method: "PUT",
    body: { level: "view" },
  });
  assert.deepEqual(await access.json(), { grants: 0, level: "view" });
  assert.equal((await lab.host.api(`/session/${id}`, { method: "DELETE" })).status, 204);
  assert.equal((await lab.host.api(`/session/${id}`, { method: "DELETE" })).status, 404);
  assert.equal((await first).result?.stream?.close, "done");
  assert.equal((await second).code, 0);
});
