/**
 * What the routes about native devices ask of the host; errors are those of {@link HostFacade}.
 *
 * @module
 */
import type {
  ApproveDevice,
  ArmNativePairing,
  ChangeNativeClient,
  NativeClient,
  NativePairStatus,
  PendingDevice,
} from "./native_schemas.ts";

export interface NativeFacade {
  pairStatus(): NativePairStatus;
  /** Opens a window in place of one that may be open. Throws "invalid". */
  arm(request: ArmNativePairing): NativePairStatus;
  /** None open is no error. */
  disarm(): void;
  clients(): NativeClient[];
  /** Live sessions follow. Throws "invalid", "not-found" or "storage". */
  changeClient(fingerprint: string, change: ChangeNativeClient): Promise<NativeClient>;
  /** Ends the device's sessions as well. Throws "not-found" or "storage". */
  unpair(fingerprint: string): Promise<void>;
  /** How many were unpaired. Throws "storage". */
  unpairAll(): Promise<number>;
  pending(): PendingDevice[];
  /** Throws "invalid", "not-found", "storage", or "refused" for a device that knocks from the internet. */
  approve(id: number, decision: ApproveDevice): Promise<NativeClient>;
  /** Throws "not-found". */
  deny(id: number): void;
}
