/**
 * Everything that decides whom the native plane serves, opened together: the planes ask it, the management API edits it.
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { AccessWatch } from "./access_watch.ts";
import { ApprovalQueue, type PendingDevice } from "./approval_queue.ts";
import { NativeClients } from "./native_clients.ts";
import { PairingWindow } from "./pairing_window.ts";

export interface NativeTrust extends Disposable {
  readonly clients: NativeClients;
  readonly window: PairingWindow;
  readonly approvals: ApprovalQueue;
  readonly watch: AccessWatch;
}

export interface NativeTrustOptions {
  readonly clock: Clock;
  /** A device waits that was not in the list. */
  readonly onPending: (device: PendingDevice) => void;
  /** Something could not be stored that nobody waits for. */
  readonly onFault: (error: unknown) => void;
}

/** Throws OperationError "storage". */
export async function openNativeTrust(
  directory: string,
  options: NativeTrustOptions,
): Promise<NativeTrust> {
  const { clock, onPending, onFault } = options;
  const clients = await NativeClients.open(directory, { clock });
  const approvals = new ApprovalQueue({ clients, clock, onPending });
  const watch = new AccessWatch({ clients, clock, onFault });
  return {
    clients,
    window: new PairingWindow({ clock }),
    approvals,
    watch,
    [Symbol.dispose]() {
      approvals[Symbol.dispose]();
      watch[Symbol.dispose]();
    },
  };
}
