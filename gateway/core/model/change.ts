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
 * `revoke`   our tokens that name `node` and were minted at an earlier place are refused
 * `outside`  outside tokens whose jti, sub or kid this is (`node` is `jti:…`, `sub:…`, `kid:…`) are refused, by their `iat`; and
 *            with `passwordPasses` for a node, passes for passwords of before a restore
 * `touch`    answers of control that were read at an earlier place and name `node` among their subjects are forgotten
 * `keys`     the key ring changed
 * @testing
 */
export type ChangeKind = 'revoke' | 'outside' | 'touch' | 'keys';

/**
 * Node of an `outside` change: every pass for a password that was made until then is refused, unless it says its place in the present
 * epoch. Such passes hold at a gateway with another store too, so a new epoch alone does not end them.
 */
export const passwordPasses = 'cred:';

/** A change on its way into the log. */
export interface NewChange {
  readonly kind: ChangeKind;
  /** Node or subject, at most 300 characters. `keys` for a change of the ring. A `revoke` of a node is a `touch` of it as well. */
  readonly node: string;
}

export interface Change extends NewChange {
  readonly seq: number;
  readonly at: EpochSeconds;
}
