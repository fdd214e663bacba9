// What a pass says of the answer that it was made from, and which claims it needs for that. A pass opens only what that answer opened:
// the host that it was given on, its paths, and routes that would accept the same answer. Pure; called once per token.
// A holder of the common key can write any of these claims. So a pass that arrives is checked only for a known origin and for
// something that can end it; that it is narrow is checked where latchkey makes passes.

import { isWildcardHost } from '../model/host-pattern.ts';
import { userRecordNode } from '../model/node-id.ts';
import type { TokenClaims } from './claims.ts';

/**
 * What a pass was made from: a verified password (`cred` names the user record), or a positive answer of the access list (`grant` names
 * the membership). `none` for a pass that names neither: a holder of the common key made it, so it counts like an outside token.
 */
export type PassOrigin = 'password' | 'member' | 'none';

export interface PassProblem {
  readonly kind: 'problem';
  /** Names the claim, never its value. */
  readonly detail: string;
}

/** Which answer a pass was made from, by its claims; or why latchkey cannot have made it. */
export function passOriginOf({ cred, grant, n }: TokenClaims): PassOrigin | PassProblem {
  // such a pass would hang on nothing, so nothing could end it
  if (n !== undefined && n.length === 0) return problem('a pass whose n is empty');
  if (cred !== undefined && grant !== undefined) return problem('a pass with both cred and grant');
  if (cred !== undefined) return 'password';
  if (grant === undefined) return 'none';
  return n === undefined ? problem('a pass with grant and without n') : 'member';
}

/** Whether latchkey may make a pass with these claims: they name its answer, and limit it to named hosts and paths. */
export function isIssuable(claims: TokenClaims): boolean {
  const { hosts = [], paths = [], iat } = claims;
  const origin = passOriginOf(claims);
  if (origin !== 'password' && origin !== 'member') return false;
  // a revocation by jti, sub or kid spares only tokens that were made later, and without `iat` that cannot be told
  if (iat === undefined || paths.length === 0 || hosts.length === 0) return false;
  return hosts.every((host) => host !== '' && !isWildcardHost(host));
}

/**
 * The nodes that a pass or a session hangs on because its own claims name them, whether `n` lists them or not: user record, membership,
 * session, device and account.
 */
export function impliedNodes({ cred, grant, sid, did, sub }: TokenClaims): readonly string[] {
  const record = cred === undefined ? undefined : userRecordNode(cred.id);
  return [record, grant, sid, did, sub].filter((node) => node !== undefined);
}

function problem(detail: string): PassProblem {
  return { kind: 'problem', detail };
}
