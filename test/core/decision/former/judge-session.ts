// Whether a session cookie says who asks on this host. Pure; what is not a live session counts as absent and is cleared.
// A session that has only run out is not over: control can renew it, so it is told apart from a bad one.
// Rules: tokens.md "Token types" (`ls+jwt`) and "Hosts".

import type { EpochSeconds } from '../../../../gateway/core/model/time.ts';
import { checkTimes, type VerifiedToken } from '../../../../gateway/core/token/common-key-token.ts';
import type { SessionHolder } from './access.ts';
import type { RequestFacts } from './facts.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from './snapshot.ts';

/** `run-out`: its signature holds and nothing else is wrong with it but that its time is over. */
export type SessionVerdict =
  | { readonly kind: 'live' | 'run-out'; readonly token: VerifiedToken; readonly holder: SessionHolder }
  | { readonly kind: 'bad' };

const bad: SessionVerdict = { kind: 'bad' };

export function judgeSession(
  text: string,
  host: string,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
): SessionVerdict {
  const token = live.verify(text);
  if (token.kind === 'refused' || token.type !== 'session') return bad;
  const { sub: account, sid: session, did: device, aud } = token.claims;
  if (account === undefined || session === undefined || device === undefined) return bad;
  // a session is of one host: the cookie of another one says nothing here
  if (aud === undefined || !aud.includes(host)) return bad;
  const holder: SessionHolder = { account, session, device, host };
  // control says how long a session lives, routes say it of what others make
  const late = checkTimes(token, now, snapshot.clockSkewSeconds, Number.MAX_SAFE_INTEGER);
  if (late === 'token-expired') return { kind: 'run-out', token, holder };
  return late === null ? { kind: 'live', token, holder } : bad;
}

/**
 * Whether a pass is of another account than the session beside it. No prefix keeps a pass from being set by a sibling of the host,
 * so such a one counts only after the session: or a visitor would act as whoever set it. It counts still, because "open on another
 * device" gives a pass to whoever sits there.
 */
export function isOfAnother(
  pass: VerifiedToken,
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
): boolean {
  if (facts.sessionCookie === null || !route.looksAtSessions) return false;
  const session = judgeSession(facts.sessionCookie, facts.host, snapshot, live, now);
  return session.kind !== 'bad' && session.holder.account !== pass.claims.sub;
}
