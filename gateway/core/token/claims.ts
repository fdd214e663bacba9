// The claims of tokens under symmetric keys, after their types were checked.
// Source: RFC 7519 §4.1; `paths`, `methods`, `hosts`, `ips`, `cred`, `grant`, `sid`, `did`, `n`, `v` are latchkey's own.

import type { EpochSeconds } from '../model/time.ts';

/** The record of the users file that a pass was issued for: its id and version, never the password or a digest of it. */
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
  /** Always a list: a single string in the token becomes a list of one. */
  readonly aud?: readonly string[];
  /** Path patterns: `/vod/*` is everything below `/vod/`; a `*` elsewhere stays inside one segment. An empty list opens nothing. */
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
  /**
   * Ids of the nodes that the token hangs on, at most `maxTokenNodes`: a revocation of one of them, later than `v`, ends the token.
   * Never without `v`.
   */
  readonly n?: readonly string[];
  /** The place of the change log up to which the maker of the token knew it. */
  readonly v?: readonly [epoch: string, seq: number];
  /** Id of the session: the one that a session token stands for, or in which a pass was made. */
  readonly sid?: string;
  /** Id of the device of that session. */
  readonly did?: string;
}

/** The most nodes that one token may hang on. */
export const maxTokenNodes = 16;
