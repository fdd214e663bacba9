// What every use case of control is given: the store, the configuration in force, clock, randomness, keys.
// Made once by the composition root; tests make one on a store of their own. No use case reads a clock or makes bytes otherwise.

import type { Buffer } from 'node:buffer';
import type { Config } from '../../config/compiled/config.ts';
import type { DecisionRecord } from '../../core/decision/verdict/decision-record.ts';
import type { LogPosition } from '../../core/model/change.ts';
import type { TokenClaims } from '../../core/token/claims.ts';
import type { Store, Unit, Written } from '../../store/port/store.ts';
import type { Sealer } from '../../store/seal/sealing.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Afterwards } from './afterwards.ts';
import type { ControlClock } from './control-clock.ts';
import type { PasswordWork } from './password-work.ts';

/** Claims of a session token, without what the minter adds (`iss`, `iat`, `exp`). */
interface SessionClaims {
  /** Account id. */
  readonly sub: string;
  /** The only host that the token is good for. */
  readonly host: string;
  readonly sid: string;
  readonly did: string;
  readonly email: string;
  readonly name: string;
  readonly groups: readonly string[];
  /** Ids of the revocation nodes that the token hangs on: account, session, device. */
  readonly nodes: readonly string[];
  /** Where the log stood when the session's rows were read. */
  readonly position: LogPosition;
}

/** Tokens that control makes itself, from the ring in force. */
export interface ControlTokens {
  /** `ls+jwt`. @throws Error when no internal key may sign, which the start of control makes sure of */
  readonly mintSession: (claims: SessionClaims, ttlSeconds: number) => string;
  /** `lp+jwt`; `iss`, `iat`, `exp` are added. null when no content key may sign, or a token cannot hold so much */
  readonly mintPass: (claims: Omit<TokenClaims, 'exp' | 'iat' | 'iss'>, ttlSeconds: number) => string | null;
  /**
   * Form, type, key, MAC, audience, and that it is not from the future. NOT its end, rows and revocations: the caller looks the
   * session up, and its row says how long it lives unused.
   */
  readonly verifySession: (text: string, host: string) => TokenClaims | null;
}

/** Where records of decisions go and come from; kept by explain/decision-files.ts. */
export interface DecisionLedger {
  /** Takes whole lines, as `recordLine` makes them. Never throws, never waits. */
  readonly appendLines: (lines: string) => void;
  readonly append: (record: DecisionRecord) => void;
  /** Everything that was recorded under a request id, oldest first, at most 32. */
  readonly find: (requestId: string) => Promise<DecisionRecord[]>;
  /** Bytes that were not kept. */
  readonly droppedBytes: () => number;
  /** Removes records that are too old, also where nothing new is written. */
  readonly forgetOld: () => Promise<void>;
  /** Writes the records that wait. */
  readonly close: () => Promise<void>;
}

export interface ControlContext {
  readonly store: Store;
  readonly sealing: Sealer;
  /** The configuration in force; ask anew for each use. */
  readonly config: () => Config;
  readonly clock: ControlClock;
  /** Cryptographically random bytes. */
  readonly random: (bytes: number) => Buffer;
  readonly tokens: ControlTokens;
  readonly logger: Logger;
  /** The decisions of the last day, for `explain`. */
  readonly decisions: DecisionLedger;
  /**
   * The one way in which use cases change the store. Like `store.write`; when changes were appended it resolves only once
   * every edge of this node has applied them, so what is acknowledged is enforced.
   */
  readonly write: <T>(work: (unit: Unit) => Promise<T>) => Promise<Written<T>>;
  /** Hashes and checks passwords, in the one queue of this process. */
  readonly passwords: PasswordWork;
  /** Takes work that no answer may wait for. */
  readonly afterwards: Afterwards;
  /** Called after a unit that queued mail was committed: the outbox looks at once. */
  readonly wakeOutbox: () => void;
}

/** Who makes a request. The facts of an account were read from its session and its rows, in this request. */
export type Actor =
  | {
      readonly kind: 'account';
      readonly accountId: string;
      readonly sessionId: string;
      readonly deviceId: string;
      readonly role: 'user' | 'admin';
      /** Verified, normalised. */
      readonly email: string;
    }
  /** Anybody who may open the administration socket. */
  | { readonly kind: 'operator' }
  | { readonly kind: 'system' };

/** The text that stands for an actor in the audit log. */
export function actorName(actor: Actor): string {
  return actor.kind === 'account' ? actor.accountId : actor.kind;
}
