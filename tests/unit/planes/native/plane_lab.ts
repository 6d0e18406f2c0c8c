/**
 * A native plane in memory: connections without a network, a clock moved by hand, and a display that comes up when the
 * test says so. Media is real: bytes to be checked, from a Worker, over a socket of loopback.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { openSyntheticAudioBackend } from "../../../../src/audio/synthetic.ts";
import { openSyntheticDisplayBackend } from "../../../../src/display/synthetic.ts";
import { toHex } from "../../../../src/lib/bytes.ts";
import { FakeClock } from "../../../../src/lib/clock.ts";
import type { LogFields } from "../../../../src/lib/logger.ts";
import type { NativeEnvironment } from "../../../../src/planes/native/environment.ts";
import { NativePlane } from "../../../../src/planes/native/plane.ts";
import { StreamClock } from "../../../../src/planes/native/stream_clock.ts";
import { type ControlMessage, decodeControl } from "../../../../src/protocol/punktfunk1/control.ts";
import { encodeFrame, FrameReader } from "../../../../src/protocol/punktfunk1/framing.ts";
import {
  encodeHello,
  type Hello,
  HELLO_DEFAULTS,
} from "../../../../src/protocol/punktfunk1/hello.ts";
import { pacingOf } from "../../../../src/protocol/punktfunk1/pacing_profile.ts";
import { encodeStart, START_EXTENSIONS_NONE } from "../../../../src/protocol/punktfunk1/start.ts";
import { decodeWelcome, type Welcome } from "../../../../src/protocol/punktfunk1/welcome.ts";
import type { QuicConnection, QuicListener, QuicStream } from "../../../../src/quic/ports.ts";
import { WaitingQueue } from "../../../../src/quic/waiting_queue.ts";
import type { NativeTrust } from "../../../../src/trust/native_trust.ts";
import { openNativeTrust } from "../../../../src/trust/native_trust.ts";
import { connectFakes } from "../../../support/fake_quic.ts";

export const CERTIFICATE = Uint8Array.of(1, 2, 3, 4);
export const FINGERPRINT = toHex(
  new Uint8Array(createHash("sha256").update(CERTIFICATE).digest()),
);
export const DEVICE = { fingerprint: FINGERPRINT, kind: "certificate", name: "Deck" } as const;

export interface PlaneLabOptions {
  readonly policy?: "required" | "open";
  readonly sessionsMax?: number;
  readonly sessionsTotal?: number;
  /** Awaited before each display is made. */
  readonly beforeDisplay?: () => Promise<void>;
  readonly mtuBytes?: number;
}

export interface PlaneLab extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly plane: NativePlane;
  readonly trust: NativeTrust;
  /** Events and fields of what was logged. */
  readonly logged: [event: string, fields: LogFields | undefined][];
  /** Displays made so far, and those still there. */
  readonly displays: { made: number; open: number };
  connect(hello?: Partial<Hello>, certificateDer?: Uint8Array<ArrayBuffer>): Promise<LabClient>;
}

export async function openPlaneLab(options: PlaneLabOptions = {}): Promise<PlaneLab> {
  const directory = await Deno.makeTempDir();
  const clock = new FakeClock();
  const logged: PlaneLab["logged"] = [];
  const log = (event: string, fields?: LogFields) => void logged.push([event, fields]);
  const trust = await openNativeTrust(directory, { clock, onPending() {}, onFault() {} });
  const displays = { made: 0, open: 0 };
  const incoming = new WaitingQueue<QuicConnection>();
  let sessions = 0;
  const plane = new NativePlane({
    listener: {
      adapter: "quinn",
      port: 1,
      asksForClientCertificate: true,
      accept: () => incoming.take(),
      close: () => Promise.resolve(incoming.end()),
      [Symbol.asyncDispose]: () => Promise.resolve(incoming.end()),
    } satisfies QuicListener,
    sessionsMax: options.sessionsMax ?? 4,
    sessionsTotal: options.sessionsTotal ?? 0,
    environment: {
      clock,
      logger: { debug: log, info: log, warn: log, error: log },
      display: countingDisplay(displays, options.beforeDisplay),
      audio: openSyntheticAudioBackend(),
      policy: options.policy ?? "open",
      trust,
      interfaces: () => [],
      capabilities: {
        codecs: ["h264", "hevc"],
        pixelsMax: 8192 * 8192,
        bitrateKbpsMax: 8_000_000,
        slicesMax: 1,
        referenceFramesMax: 1,
        hasReferenceInvalidation: false,
        audioChannels: [2, 6, 8],
      },
      fec: { scheme: "gf65536", percent: 10, blockDataShardsMax: 4096 },
      isFecPinned: false,
      soundTierMax: "high",
      isChaChaAllowed: true,
      rampMsMax: 2_500,
      mtuBytes: options.mtuBytes,
      pacing: (link) => pacingOf("burst", link),
      streamClock: new StreamClock(clock),
      dataPort: 0,
      managementPort: () => 0,
      test: {
        pattern: {
          codec: "pattern",
          idrPercent: 100,
          fillPercent: 100,
          waveUnits: undefined,
          isFollowingBitrate: false,
        },
        recoveryMs: 0,
        frameCount: 0,
        durationMs: undefined,
      },
      randomBytes: (sizeBytes: number) => new Uint8Array(randomBytes(sizeBytes)),
      nextSessionId: () => ++sessions,
    } satisfies Omit<NativeEnvironment, "identity"> as unknown as NativeEnvironment,
  });
  return {
    clock,
    plane,
    trust,
    logged,
    displays,
    async connect(hello = {}, certificateDer) {
      const ends = connectFakes(certificateDer === undefined ? {} : { certificateDer });
      incoming.push(ends.host);
      const stream = await ends.client.openStream();
      assert.ok(stream);
      const client = new LabClient(ends, stream);
      await client.send(encodeHello({ ...HELLO_DEFAULTS, mode: MODE, ...hello }));
      return client;
    },
    async [Symbol.asyncDispose]() {
      await plane.close();
      trust[Symbol.dispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

const MODE = { width: 320, height: 180, refreshHz: 30 };

export class LabClient {
  readonly connection: ReturnType<typeof connectFakes>["client"];
  readonly host: ReturnType<typeof connectFakes>["host"];
  readonly #stream: QuicStream;
  readonly #reader = new FrameReader();

  constructor(ends: ReturnType<typeof connectFakes>, stream: QuicStream) {
    this.connection = ends.client;
    this.host = ends.host;
    this.#stream = stream;
  }

  async send(payload: Uint8Array): Promise<void> {
    await this.#stream.write(encodeFrame(payload));
  }

  async start(udpPort = 9): Promise<void> {
    await this.send(encodeStart({ kind: "start", udpPort, extensions: START_EXTENSIONS_NONE }));
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const payload = this.#reader.next();
      if (payload !== undefined) return payload;
      const chunk = await this.#stream.read();
      if (chunk === undefined) return undefined;
      this.#reader.push(chunk);
    }
  }

  async welcome(): Promise<Welcome> {
    const payload = await this.next();
    assert.ok(payload);
    return decodeWelcome(payload);
  }

  async control(): Promise<ControlMessage | undefined> {
    const payload = await this.next();
    return payload && decodeControl(payload);
  }
}

/** Let promises and Workers run until `isDone`. */
export async function settle(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !isDone(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, turn < 100 ? 0 : 5));
  }
  assert.ok(isDone());
}

function countingDisplay(
  displays: PlaneLab["displays"],
  before: PlaneLabOptions["beforeDisplay"],
): NativeEnvironment["display"] {
  const backend = openSyntheticDisplayBackend("blank");
  return {
    id: backend.id,
    label: backend.label,
    probe: () => backend.probe(),
    recover: () => backend.recover(),
    async createDisplay(mode) {
      displays.made++;
      await before?.();
      const display = await backend.createDisplay(mode);
      displays.open++;
      const close = async () => {
        displays.open--;
        await display.close();
      };
      return {
        mode: display.mode,
        name: display.name,
        videoSource: display.videoSource,
        openInput: () => display.openInput(),
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  };
}
