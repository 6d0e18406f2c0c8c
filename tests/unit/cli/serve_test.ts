import assert from "node:assert/strict";
import { serve, type ServeFlags } from "../../../src/cli/commands/serve.ts";
import type { Host, HostEnvironment, HostOptions, OpenHost } from "../../../src/host_options.ts";
import { OperationError } from "../../../src/lib/errors.ts";
import { HOST_ENV_BYTES_MAX } from "../../../src/platform/config_env_file.ts";
import { ExitRequest, FakeCli } from "./fixture.ts";

const DEFAULTS: HostOptions = {
  isGamestreamOn: false,
  gamestreamPortBase: 47_989,
  nativePort: 9777,
  dataPort: 0,
  pairingPolicy: "required",
  idleTimeoutMs: 8_000,
  delivery: "burst",
  mtuBytes: undefined,
  isChaChaAllowed: true,
  managementBind: { address: "0.0.0.0", port: 47_990 },
  isMdnsOn: true,
  source: "auto",
  encoder: "auto",
  fecPercent: undefined,
  videoDropPercent: 0,
  hostName: "",
};

/** A host that runs until it is closed, and says what it was given. */
class FakeHost implements Host {
  readonly summary = { lines: ["Listens on port 1"] };
  readonly #ended = Promise.withResolvers<void>();
  readonly ended = this.#ended.promise;
  readonly opened = Promise.withResolvers<void>();
  options: HostOptions | undefined;
  environment: HostEnvironment | undefined;
  closeCount = 0;
  doesClose = true;

  readonly open: OpenHost = (options, environment) => {
    this.options = options;
    this.environment = environment;
    this.opened.resolve();
    return Promise.resolve(this);
  };

  end(fault?: Error): void {
    if (fault === undefined) this.#ended.resolve();
    else this.#ended.reject(fault);
  }

  close(): Promise<void> {
    this.closeCount++;
    return this.doesClose ? Promise.resolve() : new Promise(() => {});
  }
}

interface Setup {
  readonly variables?: Record<string, string>;
  readonly files?: Record<string, string>;
}

async function withServe(
  { variables = {}, files = {} }: Setup,
  use: (parts: { cli: FakeCli; host: FakeHost; directory: string }) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "punktfunk-serve-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    const cli = new FakeCli({ PUNKTFUNK_CONFIG_DIR: directory, ...variables });
    await use({ cli, host: new FakeHost(), directory });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What the host is opened with. */
async function optionsFor(flags: ServeFlags, setup: Setup = {}) {
  let options: HostOptions | undefined;
  let log = "";
  await withServe(setup, async ({ cli, host }) => {
    host.end();
    const { exitCode } = await serve(cli.environment, flags, () => Promise.resolve(host.open));
    assert.equal(exitCode, 0, cli.err);
    options = host.options;
    log = cli.err;
  });
  return { options, log };
}

Deno.test("serve() starts with the defaults of the specification", async () => {
  assert.deepEqual((await optionsFor({})).options, DEFAULTS);
});

Deno.test("serve() passes every flag on", async () => {
  const table: [ServeFlags, Partial<HostOptions>][] = [
    [{ gamestream: true }, { isGamestreamOn: true }],
    [{ moonlight: true }, { isGamestreamOn: true }],
    [{ gamestreamPort: "50000" }, { gamestreamPortBase: 50_000 }],
    [{ native: true }, {}],
    [{ nativePort: "1" }, { nativePort: 1 }],
    [{ dataPort: "5000" }, { dataPort: 5000 }],
    [{ open: true }, { pairingPolicy: "open" }],
    [{ mgmtBind: "[::1]:0" }, { managementBind: { address: "::1", port: 0 } }],
    [{ noMdns: true }, { isMdnsOn: false }],
    [{ source: "synthetic" }, { source: "synthetic" }],
  ];
  for (const [flags, expected] of table) {
    assert.deepEqual((await optionsFor(flags)).options, { ...DEFAULTS, ...expected });
  }
});

Deno.test("serve() reads the environment, host.env below it, and the settings file below both", async () => {
  const files = {
    "host.env":
      "PUNKTFUNK_MDNS=0\nPUNKTFUNK_HOST_NAME=file\nPUNKTFUNK_FEC_PCT=30\nPUNKTFUNK_VIDEO_DROP=5\n",
    "host-settings.json":
      '{"version":1,"gamestream":true,"chacha20":false,"host_name":"stored","unknown":1}',
  };
  const { options } = await optionsFor({}, {
    files,
    variables: { PUNKTFUNK_HOST_NAME: "process" },
  });
  assert.deepEqual(options, {
    ...DEFAULTS,
    isMdnsOn: false,
    hostName: "process",
    fecPercent: 30,
    videoDropPercent: 5,
    isGamestreamOn: true,
    isChaChaAllowed: false,
  });
});

Deno.test("serve() warns about what it cannot use and starts without it", async () => {
  const { options, log } = await optionsFor({}, {
    variables: { PUNKTFUNK_ENCODER: "x264" },
    files: { "host-settings.json": "{broken" },
  });
  assert.deepEqual(options, DEFAULTS);
  assert.match(log, /WARN host\.setting detail=".*host-settings\.json was damaged/);
  assert.match(log, /WARN host\.setting detail="Cannot use PUNKTFUNK_ENCODER: /);
});

Deno.test("serve() warns when Moonlight clients are served, and only then", async () => {
  const warning = /WARN host\.gamestream detail=".*plain HTTP/;
  assert.match((await optionsFor({ gamestream: true })).log, warning);
  assert.doesNotMatch((await optionsFor({})).log, warning);
});

Deno.test("serve() reads a host.env of the largest size and refuses one byte more", async () => {
  const text = "PUNKTFUNK_MDNS=0\n#".padEnd(HOST_ENV_BYTES_MAX, "x");
  const { options } = await optionsFor({}, { files: { "host.env": text } });
  assert.equal(options?.isMdnsOn, false);
  await assert.rejects(
    optionsFor({}, { files: { "host.env": `${text}x` } }),
    { name: "OperationError", code: "storage" },
  );
});

Deno.test("serve() stops before it loads the host when a flag or a file is wrong", async () => {
  for (
    const [flags, files, message] of [
      [{ nativePort: "x" }, {}, /ERROR host\.failed error="Cannot use --native-port: it must be/],
      [{ mgmtBind: "1.2.3.4" }, {}, /Cannot use --mgmt-bind: it must be IP:PORT/],
      [{ source: "camera" }, {}, /Cannot use --source: it must be one of auto, synthetic, wlroots/],
      [{ gamestreamPort: "80" }, {}, /Cannot use --gamestream-port/],
    ] as const
  ) {
    await withServe({ files }, async ({ cli }) => {
      const { exitCode } = await serve(cli.environment, flags, () => {
        throw new Error("loaded");
      });
      assert.equal(exitCode, 1);
      assert.match(cli.err, message);
    });
  }
});

Deno.test("serve() logs one ERROR line with the cause and the remedy when the host cannot start", async () => {
  await withServe({}, async ({ cli }) => {
    const fault = new OperationError("port-in-use", "Cannot listen on port 47989", {
      remedy: "End the other host",
      cause: new Error("address in use"),
    });
    const { exitCode } = await serve(
      cli.environment,
      {},
      () => Promise.resolve(() => Promise.reject(fault)),
    );
    assert.equal(exitCode, 1);
    const errors = cli.err.split("\n").filter((line) => line.includes(" ERROR "));
    assert.equal(errors.length, 1);
    assert.match(
      errors[0] ?? "",
      /error="Cannot listen on port 47989: address in use. End the other host"$/,
    );
    assert.equal(cli.out, "");
    assert.equal(cli.listeners.size, 0);
  });
});

Deno.test("serve() logs a banner, what is ready and the end, and closes the host at a signal", async () => {
  await withServe({}, async ({ cli, host }) => {
    const done = serve(cli.environment, {}, () => Promise.resolve(host.open));
    await host.opened.promise;
    for (const listener of cli.listeners) listener();
    assert.equal((await done).exitCode, 0);
    assert.equal(host.closeCount, 1);
    assert.equal(cli.listeners.size, 0);
    assert.equal(cli.clock.pendingTimers, 0);
    assert.deepEqual(
      cli.err.trim().split("\n").map((line) => line.split(" ").slice(1).join(" ")),
      [
        "INFO host.starting version=0.1.0 abi=1",
        "INFO host.stopping reason=signal",
        'INFO host.ready detail="Listens on port 1"',
        "INFO host.stopped",
      ],
    );
  });
});

Deno.test("serve() ends the process at once at a second signal", async () => {
  await withServe({}, async ({ cli, host }) => {
    host.doesClose = false;
    const done = serve(cli.environment, {}, () => Promise.resolve(host.open));
    await host.opened.promise;
    const [listener] = cli.listeners;
    listener?.();
    assert.throws(() => listener?.(), (error) => error instanceof ExitRequest && error.code === 1);
    await cli.clock.firstTimer;
    cli.clock.advance(20_000);
    await done;
  });
});

Deno.test("serve() gives up after 20 s when the host does not close", async () => {
  await withServe({}, async ({ cli, host }) => {
    host.doesClose = false;
    host.end();
    const done = serve(cli.environment, {}, () => Promise.resolve(host.open));
    await cli.clock.firstTimer;
    cli.clock.advance(19_999);
    assert.ok(!cli.err.includes("ERROR"));
    cli.clock.advance(1);
    assert.equal((await done).exitCode, 1);
    assert.match(cli.err, /ERROR host\.failed error="Cannot end within 20 s/);
  });
});

Deno.test("serve() fails with the fault that ended the host, after closing it", async () => {
  await withServe({}, async ({ cli, host }) => {
    const done = serve(cli.environment, {}, () => Promise.resolve(host.open));
    await host.opened.promise;
    host.end(new Error("Cannot go on"));
    assert.equal((await done).exitCode, 1);
    assert.equal(host.closeCount, 1);
    assert.match(cli.err, /ERROR host\.failed error="Cannot go on"/);
  });
});

Deno.test("serve() closes the host and fails when something nobody awaits goes wrong", async () => {
  await withServe({}, async ({ cli, host }) => {
    const done = serve(cli.environment, {}, () => Promise.resolve(host.open));
    await host.opened.promise;
    dispatchEvent(new ErrorEvent("error", { error: new Error("Cannot paint"), cancelable: true }));
    assert.equal((await done).exitCode, 1);
    assert.equal(host.closeCount, 1);
    assert.match(cli.err, /ERROR host\.crashed error="Cannot paint"/);
    assert.ok(
      host.environment?.ring.read(0, 100).entries.some(({ msg }) => msg.startsWith("host.crashed")),
    );
  });
});

Deno.test("serve() takes credentials out of the process and still hands them to the host", async () => {
  const variables = { PUNKTFUNK_MGMT_TOKEN: "f".repeat(64), PUNKTFUNK_UI_PASSWORD: "open sesame" };
  await withServe({ variables }, async ({ cli, host }) => {
    host.end();
    await serve(cli.environment, {}, () => Promise.resolve(host.open));
    assert.equal(cli.variables.has("PUNKTFUNK_MGMT_TOKEN"), false);
    assert.equal(cli.variables.has("PUNKTFUNK_UI_PASSWORD"), false);
    assert.equal(host.environment?.env.get("PUNKTFUNK_MGMT_TOKEN"), "f".repeat(64));
    assert.ok(!cli.err.includes("sesame") && !cli.err.includes("ffff"));
  });
});

Deno.test("serve() logs JSON lines and obeys the filter when the environment says so", async () => {
  const variables = { PUNKTFUNK_LOG_FORMAT: "json", RUST_LOG: "debug", PUNKTFUNK_LOG: "warn" };
  const { log } = await optionsFor({}, { variables });
  assert.equal(log, "");
  const { log: lines } = await optionsFor({}, { variables: { PUNKTFUNK_LOG_FORMAT: "json" } });
  for (const line of lines.trim().split("\n")) assert.equal(JSON.parse(line).level, "INFO");
});
