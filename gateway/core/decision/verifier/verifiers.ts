// The table of verifiers: one row a kind of credential, in the order of trial. A new kind needs a row here, a word in
// state/credential-kinds.ts, and one file.

import { type AcceptKind, type VerifierKind, verifierKinds } from '../state/credential-kinds.ts';
import type { Case, Outcome, Verifier } from './case.ts';
import { verifyLink } from './link.ts';
import { verifyMember } from './member.ts';
import { verifyOtherPass, verifyPass } from './pass.ts';
import { verifyPassword } from './password.ts';
import { verifySession } from './session.ts';
import { verifyExplicitToken } from './token.ts';

interface Row {
  /** Whether a route that accepts these kinds tries the verifier. */
  readonly isFor: (accept: readonly AcceptKind[]) => boolean;
  readonly verify: Verifier;
}

/** The rows, in the order of `verifierKinds`, whose comment gives the reasons. */
const rows = {
  link: { isFor: takesMember, verify: verifyLink },
  token: { isFor: takesPass, verify: verifyExplicitToken },
  pass: { isFor: takesPass, verify: verifyPass },
  session: { isFor: (accept) => accept.includes('session'), verify: verifySession },
  // where any signed-in account may open the route, the access list is not needed
  member: { isFor: (accept) => takesMember(accept) && !accept.includes('session'), verify: verifyMember },
  'other-pass': { isFor: takesPass, verify: verifyOtherPass },
  password: { isFor: (accept) => accept.includes('password'), verify: verifyPassword },
  anyone: { isFor: (accept) => accept.includes('anyone'), verify: verifyAnyone },
} as const satisfies Record<VerifierKind, Row>;

/** The verifiers of a route, in the order of trial. Called once for each route, when a configuration is compiled. */
export function verifiersFor(accept: readonly AcceptKind[]): readonly VerifierKind[] {
  return verifierKinds.filter((kind) => rows[kind].isFor(accept));
}

/** Tries one verifier on a case. */
export function verify(kind: VerifierKind, request: Case): Outcome {
  return rows[kind].verify(request);
}

function takesMember(accept: readonly AcceptKind[]): boolean {
  return accept.includes('member');
}

/** Whether a route tries passes: also where it accepts only `password` or `member`, because their answers become passes. */
function takesPass(accept: readonly AcceptKind[]): boolean {
  return accept.includes('token') || accept.includes('password') || accept.includes('member');
}

/** Lets in a request that no credential decided. A token that names no key of latchkey's is refused, since its sender meant it to count. */
function verifyAnyone({ sitesToken, route }: Case): Outcome {
  // a route that names people lets in nobody who is unknown, whatever else it says
  return sitesToken === null && route.allow === null ? 'allow' : 'next';
}
