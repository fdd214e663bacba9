// The claims a common-key token may carry, after their types were checked.
// Source: RFC 7519 §4.1; `paths`, `methods`, `hosts`, `ips`, `cred`, `grant`, `sid`, `did`, `n`, `v` are latchkey's own.

import type { EpochSeconds } from '../model/time.ts';

/** Which user record, of the users file, a pass was issued for: its id and version, never the password or a digest of it. */
export interface UserRecordReference {
  readonly id: string;
  readonly v: number;
}

/**
 * Claims as parsed. Types are checked, times and scope are NOT: see `checkTimes` and `checkScope`.
 * A claim that is not listed here is kept in the token and ignored by the gateway.
 */
export interface TokenClaims {
  /** Times in whole seconds: a fraction counts as the second it ends in. */
  readonly exp: EpochSeconds;
  readonly nbf?: EpochSeconds;
  readonly iat?: EpochSeconds;
  readonly iss?: string;
  readonly sub?: string;
  readonly jti?: string;
  /** Always a list here; a single string in the token becomes a list of one. */
  readonly aud?: readonly string[];
  /** Path patterns: `/vod/*` is everything below `/vod/`; a `*` elsewhere stays inside one segment. Absent and empty differ. */
  readonly paths?: readonly string[];
  /** Upper-case method names; GET includes HEAD. */
  readonly methods?: readonly string[];
  /** Lower-case host names without port; `*.example.org` for every host below. */
  readonly hosts?: readonly string[];
  /** CIDR blocks or single addresses, IPv4 or IPv6. */
  readonly ips?: readonly string[];
  readonly cred?: UserRecordReference;
  readonly email?: string;
  readonly name?: string;
  readonly preferred_username?: string;
  readonly groups?: readonly string[];
  readonly amr?: readonly string[];
  readonly grant?: string;
  /** Ids of the nodes it hangs on, at most `maxTokenNodes`: a revocation of one, later than `v`, ends the token. Never without `v`. */
  readonly n?: readonly string[];
  /** The place of the change log that its minter had applied. */
  readonly v?: readonly [epoch: string, seq: number];
  /** Session that a session token is, or that a pass came from. */
  readonly sid?: string;
  /** Device of the session. */
  readonly did?: string;
}

/** Nodes that one token may hang on. */
export const maxTokenNodes = 16;
