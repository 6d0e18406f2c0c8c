/**
 * `doctor` and `detect-conflicts` as programs, on this machine and with the faults that can be made here.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { CheckResult } from "../../src/health/check.ts";
import { SwayLab } from "./sway_lab.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const READY_TIMEOUT_MS = 20_000;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The program with these variables and no others. */
async function main(args: readonly string[], env: Record<string, string>): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    clearEnv: true,
    env: { DENO_DIR: denoDirectory(), ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Where packages lie, for a child that has no HOME to find them by. */
function denoDirectory(): string {
  return Deno.env.get("DENO_DIR") || `${Deno.env.get("HOME") ?? "/root"}/.cache/deno`;
}

async function doctor(env: Record<string, string>, ...args: readonly string[]) {
  const { code, out, err } = await main(["doctor", "--json", ...args], env);
  assert.equal(err, "");
  const { v, data } = JSON.parse(out) as { v: number; data: { checks: CheckResult[] } };
  assert.equal(v, 1);
  const hasFault = data.checks.some(({ state }) => state === "fault");
  assert.equal(code, hasFault ? 1 : 0);
  return new Map(data.checks.map((check) => [check.id, check]));
}

async function withHome(use: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "pf-doctor-" });
  try {
    await use(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function listenSomewhere(): { readonly port: number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return {
    port: (listener.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => listener.close(),
  };
}

Deno.test("doctor looks at everything and changes nothing", async () => {
  await withHome(async (home) => {
    const checks = await doctor({ HOME: home, XDG_RUNTIME_DIR: home });
    for (const id of ["settings", "runtime", "display", "sound", "uinput", "mdns", "clock"]) {
      assert.ok(checks.has(id), id);
    }
    for (const { id, state, summary } of checks.values()) {
      assert.match(id, /^[a-z0-9-]+$/);
      assert.doesNotMatch(summary, /\n|\.$|Could not be checked/, `${id}: ${state}`);
    }
    assert.equal(checks.get("directory-config")?.state, "ok");
    assert.deepEqual([...Deno.readDirSync(home)], []);
  });
});

Deno.test("doctor prints one line a check, and the count", async () => {
  await withHome(async (home) => {
    const { out } = await main(["doctor"], { HOME: home });
    assert.match(out, /^ok +runtime +Deno \d/m);
    assert.match(out, /\n\n(\d+ (fault|warning|unknown|skipped|ok)(, )?)+\n$/);
  });
});

Deno.test("doctor works without any variable, and faults the missing home", async () => {
  const checks = await doctor({});
  assert.equal(checks.get("directories")?.state, "fault");
  assert.match(checks.get("directories")?.remedy ?? "", /^export HOME=/);
  assert.equal(checks.get("sound")?.state, "warning");
});

Deno.test("doctor names the program that has a port of the host", async () => {
  using taken = listenSomewhere();
  await withHome(async (home) => {
    await Deno.mkdir(`${home}/.config/punktfunk`, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(
      `${home}/.config/punktfunk/host.env`,
      `PUNKTFUNK_MGMT_BIND=127.0.0.1:${taken.port}\n`,
    );
    const checks = await doctor({ HOME: home });
    const port = checks.get(`port-${taken.port}-tcp`);
    assert.equal(port?.state, "fault");
    assert.match(port?.summary ?? "", new RegExp(`is taken by .*\\(${Deno.pid}\\)$`));
    assert.match(checks.get("settings")?.summary ?? "", /mgmt_bind \(PUNKTFUNK_MGMT_BIND\)/);
  });
});

Deno.test("doctor knows the host that runs from the same checkout", async () => {
  let port: number;
  {
    using listener = listenSomewhere();
    port = listener.port;
  }
  await withHome(async (home) => {
    const env = { HOME: home, PUNKTFUNK_MGMT_BIND: `127.0.0.1:${port}` };
    await using host = startHost(env);
    await untilExists(`${home}/.config/punktfunk/mgmt-endpoint`);
    const check = (await doctor(env)).get(`port-${port}-tcp`);
    assert.equal(check?.state, "ok");
    assert.match(
      check?.summary ?? "",
      new RegExp(`held by the host that runs \\(${host.processId}\\)`),
    );
  });
});

/** A host with the test picture; its log is to be read or let go. */
function startHost(env: Record<string, string>) {
  const host = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      MAIN,
      "serve",
      "--source",
      "synthetic",
      "--no-mdns",
      "--native-port",
      "0",
    ],
    clearEnv: true,
    env: { DENO_DIR: denoDirectory(), ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  // A log that never says what is waited for ends here.
  const timer = setTimeout(() => host.kill("SIGKILL"), READY_TIMEOUT_MS);
  return {
    processId: host.pid,
    log: host.stderr.pipeThrough(new TextDecoderStream()),
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      try {
        host.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await this.log.cancel();
      await host.status;
    },
  };
}

async function untilExists(path: string): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      await Deno.stat(path);
      return;
    } catch {
      if (Date.now() > deadlineMs) throw new Error(`${path} does not appear`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

Deno.test("doctor is not held up by a PipeWire that accepts and never answers", async () => {
  await withHome(async (home) => {
    const listener = Deno.listen({ transport: "unix", path: `${home}/pipewire-0` });
    const connections: Deno.Conn[] = [];
    const accepting = (async () => {
      for await (const connection of listener) connections.push(connection);
    })();
    const checks = await doctor({ HOME: home, XDG_RUNTIME_DIR: home });
    listener.close();
    await accepting;
    for (const connection of connections) connection.close();
    assert.equal(checks.get("sound")?.state, "warning");
    assert.match(checks.get("sound")?.summary ?? "", /^Cannot .*PipeWire/);
  });
});

Deno.test("doctor finds the Sway that virtual displays would be made in", async () => {
  await using lab = await SwayLab.start();
  await withHome(async (home) => {
    const variables = ["XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "SWAYSOCK"];
    const desktop = Object.fromEntries(
      variables.map((name) => [name, lab.environment.get(name) ?? ""]),
    );
    const display = (await doctor({ HOME: home, ...desktop })).get("display");
    assert.equal(display?.state, "ok");
    assert.match(display?.summary ?? "", /^Virtual displays by Sway .*\(wayland session\)$/);
  });
});

/** A program by the name of another host, which only waits. */
async function startOtherHost(path: string) {
  await Deno.copyFile("/bin/sleep", path);
  await Deno.chmod(path, 0o755);
  const other = new Deno.Command(path, { args: ["60"] }).spawn();
  return {
    processId: other.pid,
    async [Symbol.asyncDispose]() {
      other.kill("SIGKILL");
      await other.status;
    },
  };
}

Deno.test("detect-conflicts fails while another host runs, and names it", async () => {
  await withHome(async (home) => {
    const path = `${home}/luminalshine`;
    const env = { HOME: home, PATH: home };
    {
      await using other = await startOtherHost(path);
      const { code, out } = await main(["detect-conflicts"], env);
      assert.equal(code, 1);
      const pid = other.processId;
      assert.match(
        out,
        new RegExp(`^LuminalShine runs as luminalshine \\(${pid}\\)\n  → kill ${pid}$`, "m"),
      );
    }
    const { out } = await main(["detect-conflicts", "--json"], env);
    const { hosts } = JSON.parse(out).data as {
      hosts: { name: string; active: boolean; installed: string[] }[];
    };
    const dormant = hosts.find(({ name }) => name === "LuminalShine");
    assert.equal(dormant?.active, false);
    assert.deepEqual(dormant?.installed, [path]);
  });
});

Deno.test("serve warns of another host that runs", async () => {
  await withHome(async (home) => {
    await using _other = await startOtherHost(`${home}/luminalshine`);
    await using host = startHost({ HOME: home, PUNKTFUNK_MGMT_BIND: "127.0.0.1:0" });
    let log = "";
    for await (const text of host.log.values({ preventCancel: true })) {
      log += text;
      if (log.includes("host.conflict") && log.endsWith("\n")) break;
    }
    assert.match(log, /WARN host\.conflict detail="LuminalShine runs as .*remedy="kill \d+"/);
  });
});
