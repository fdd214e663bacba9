// What a pass says of the answer that it was made from, and what it has to say beside it. A pass opens only what that answer opened:
// the host that it was given on, its paths, and routes that would take the same answer. Pure; asked once per token.
// A holder of the common key can write any of this. So what arrives is asked for what makes it a pass of ours and can be ended;
// how narrow it is, is asked where passes are made.

import { isWildcardHost } from '../model/host-pattern.ts';
import { userRecordNode } from '../model/node-id.ts';
import type { TokenClaims } from './claims.ts';

/**
 * What a pass was made from: somebody's name and password (`cred` names the record), or an access list's yes (`grant` names the
 * membership). `none` for one that names neither: a holder of the common key made it, so it is worth what an outside token is.
 */
export type PassOrigin = 'password' | 'member' | 'none';

export interface PassProblem {
  readonly kind: 'problem';
  /** Names the claim, never its value. */
  readonly detail: string;
}

/** Where a pass comes from, by its claims; or why it can be none of ours. */
export function passOriginOf({ cred, grant, n }: TokenClaims): PassOrigin | PassProblem {
  // it would hang on nothing, so nothing could end it
  if (n !== undefined && n.length === 0) return problem('a pass whose n is empty');
  if (cred !== undefined && grant !== undefined) return problem('a pass with both cred and grant');
  if (cred !== undefined) return 'password';
  if (grant === undefined) return 'none';
  return n === undefined ? problem('a pass with grant and without n') : 'member';
}

/** Whether a pass may be made with these claims: it names its answer, and is for named hosts and paths alone. */
export function isIssuable(claims: TokenClaims): boolean {
  const { hosts = [], paths = [], iat } = claims;
  const origin = passOriginOf(claims);
  if (origin !== 'password' && origin !== 'member') return false;
  // without the time it was made nobody could tell it from those that were revoked by jti, sub or kid
  if (iat === undefined || paths.length === 0 || hosts.length === 0) return false;
  return hosts.every((host) => host !== '' && !isWildcardHost(host));
}

/**
 * What a pass or a session hangs on because of what it says of itself, whether its `n` lists it or not: its record, its membership,
 * its session, its device and its account.
 */
export function impliedNodes({ cred, grant, sid, did, sub }: TokenClaims): readonly string[] {
  const record = cred === undefined ? undefined : userRecordNode(cred.id);
  return [record, grant, sid, did, sub].filter((node) => node !== undefined);
}

function problem(detail: string): PassProblem {
  return { kind: 'problem', detail };
}
