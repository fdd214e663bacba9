// The change log: one list of what was revoked, granted and exchanged, in one order for every process and every node.
// Pure data. What a change means to an edge is in core/decision/state/revocation-index.ts.

import type { EpochSeconds } from './time.ts';

/**
 * A place in the log. Places compare only within one epoch; a restored backup starts a new one, and everything that was
 * minted under another epoch is refused.
 */
export interface LogPosition {
  /** Random, 8 bytes as base64url; never made from a counter, so two restores of one backup differ. */
  readonly epoch: string;
  /** From 0, without gaps in what was committed. */
  readonly seq: number;
}

/**
 * `revoke`   latchkey's own tokens that name `node` and were minted at an earlier place are refused
 * `outside`  outside tokens of one `jti`, `sub` or `kid` (`node` is `jti:…`, `sub:…`, `kid:…`) are refused by their `iat`; with
 *            `passwordPasses` as `node`, passes for passwords that were made before a restore
 * `touch`    access answers that control read at an earlier place, and that name `node` among their subjects, are forgotten
 * `keys`     the key ring changed
 * @testing
 */
export type ChangeKind = 'revoke' | 'outside' | 'touch' | 'keys';

/**
 * A node of `outside` changes. It refuses every pass for a password that was made before the change, except passes whose `v` is in the
 * present epoch. Passes for passwords also count at a gateway with another store, so a new epoch alone does not end them.
 */
export const passwordPasses = 'cred:';

/** A change that is about to be written to the log. */
export interface NewChange {
  readonly kind: ChangeKind;
  /** Node or subject, at most 300 characters. `keys` for a change of the ring. A `revoke` of a node is a `touch` of it as well. */
  readonly node: string;
}

export interface Change extends NewChange {
  readonly seq: number;
  readonly at: EpochSeconds;
}
