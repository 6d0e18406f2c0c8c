/**
 * Stores of native devices in directories of their own.
 *
 * @module
 */
import { FakeClock } from "../../../src/lib/clock.ts";
import { storageError, writeFileAtomic } from "../../../src/store/file.ts";
import { NativeClients, type NewDevice } from "../../../src/trust/native_clients.ts";

export const PHONE = "ab".repeat(32);
export const TABLET = "cd".repeat(32);

export function device(fingerprint: string, name = "Phone"): NewDevice {
  return { fingerprint, kind: "certificate", name };
}

export interface ClientsLab extends AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  readonly clock: FakeClock;
  readonly clients: NativeClients;
  isDiskFull: boolean;
  reopen(): Promise<NativeClients>;
}

export async function makeClients(files: { readonly paired?: string } = {}): Promise<ClientsLab> {
  const directory = await Deno.makeTempDir({ prefix: "punktfunk-native-" });
  const path = `${directory}/punktfunk1-paired.json`;
  if (files.paired !== undefined) await Deno.writeTextFile(path, files.paired);
  const clock = new FakeClock(1_000_000_000_000);
  const open = () => NativeClients.open(directory, { clock, write: writeOrFail });
  const writeOrFail: typeof writeFileAtomic = async (...parameters) => {
    if (lab.isDiskFull) {
      throw storageError("write", parameters[0], Object.assign(new Error(), { code: "ENOSPC" }));
    }
    await writeFileAtomic(...parameters);
  };
  const lab = {
    directory,
    path,
    clock,
    isDiskFull: false,
    reopen: open,
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
  try {
    return Object.assign(lab, { clients: await open() });
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}
