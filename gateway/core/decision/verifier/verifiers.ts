// The table of verifiers: one row a kind of credential, in the order of trial. A new kind is a row here, a word in
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
  /** Whether a route that accepts these kinds tries it. */
  readonly isFor: (accept: readonly AcceptKind[]) => boolean;
  readonly verify: Verifier;
}

/** In the order of `verifierKinds`, which says why. */
const rows = {
  link: { isFor: takesMember, verify: verifyLink },
  token: { isFor: takesPass, verify: verifyExplicitToken },
  pass: { isFor: takesPass, verify: verifyPass },
  session: { isFor: (accept) => accept.includes('session'), verify: verifySession },
  // where any signed-in account will do, nobody asks for the access list
  member: { isFor: (accept) => takesMember(accept) && !accept.includes('session'), verify: verifyMember },
  'other-pass': { isFor: takesPass, verify: verifyOtherPass },
  password: { isFor: (accept) => accept.includes('password'), verify: verifyPassword },
  anyone: { isFor: (accept) => accept.includes('anyone'), verify: verifyAnyone },
} as const satisfies Record<VerifierKind, Row>;

/** The verifiers of a route, in the order of trial. Asked once, when a configuration is compiled. */
export function verifiersFor(accept: readonly AcceptKind[]): readonly VerifierKind[] {
  return verifierKinds.filter((kind) => rows[kind].isFor(accept));
}

/** Asks one verifier about a case. */
export function verify(kind: VerifierKind, request: Case): Outcome {
  return rows[kind].verify(request);
}

function takesMember(accept: readonly AcceptKind[]): boolean {
  return accept.includes('member');
}

/** Passes are looked at also where only `password` or `member` is accepted, because a pass is what these turn into. */
function takesPass(accept: readonly AcceptKind[]): boolean {
  return accept.includes('token') || accept.includes('password') || accept.includes('member');
}

/** No credential at all. A token that names no key of ours is refused rather than ignored: its sender meant it for something. */
function verifyAnyone({ sitesToken }: Case): Outcome {
  return sitesToken === null ? 'allow' : 'next';
}
