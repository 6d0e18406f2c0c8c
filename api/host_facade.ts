/**
 * What the routes ask of the host: one method a route, in the API's own shapes. No route reaches past it.
 *
 * A method that cannot do what it is asked throws OperationError; its code gives the answer's status, its message the
 * text. Anything else that is thrown answers 500 without details.
 *
 * @module
 */
import type { NativeFacade } from "./native_facade.ts";
import type {
  Compositor,
  Health,
  HostInfo,
  LogPage,
  PairedClient,
  PairStatus,
  RuntimeStatus,
  SessionAccess,
  SetSessionAccess,
  SubmitPin,
} from "./schemas.ts";

export interface HostFacade {
  readonly native: NativeFacade;
  health(): Health;
  hostInfo(): HostInfo | Promise<HostInfo>;
  status(): RuntimeStatus;
  compositors(): Promise<Compositor[]>;
  pairStatus(): PairStatus;
  /** Throws "refused" when no handshake waits, when the address names none, or when it is needed to choose. */
  submitPin(pin: SubmitPin): void | Promise<void>;
  clients(): PairedClient[] | Promise<PairedClient[]>;
  /** `label` null clears it. Returns the client as it is then. Throws "not-found". */
  renameClient(fingerprint: string, label: string | null): Promise<PairedClient>;
  /** Ends the client's session as well. Throws "not-found". */
  unpairClient(fingerprint: string): Promise<void>;
  /** How many were unpaired. */
  unpairAllClients(): Promise<number>;
  /** A deliberate stop of every session; none running is no error. */
  stopSessions(): Promise<void>;
  /** Throws "refused" when nothing streams. */
  requestIdr(): void;
  /** Throws "not-found", as all that follow do for a session that is not there. */
  stopSession(id: number): Promise<void>;
  requestSessionIdr(id: number): void;
  /** Throws "refused" for a Moonlight session, whose client cannot be told. */
  muteSession(id: number, isMuted: boolean): void;
  /** For this session alone, within what its device may do. Throws "refused" as above, "invalid". */
  setSessionAccess(id: number, change: SetSessionAccess): SessionAccess;
  /** Lines after the cursor `after`, at most `limit`. */
  logs(after: number, limit: number): LogPage;
}
