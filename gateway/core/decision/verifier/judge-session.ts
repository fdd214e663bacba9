// Whether a session cookie says who asks on this host. Pure; what is not a live session counts as absent and is cleared.
// A session that has only run out is not over: control can renew it, so it is told apart from a bad one.
// Which claims a session requires: core/token/token-kinds.ts. Rules: gateway/RULES.md "Token types" (`ls+jwt`) and "Hosts".

import type { EpochSeconds } from '../../model/time.ts';
import { checkTimes, type VerifiedToken } from '../../token/common-key-token.ts';
import type { SessionHolder } from '../state/access.ts';
import type { LiveIndex, Snapshot } from '../state/snapshot.ts';

/** `run-out`: the token's signature holds, and nothing is wrong with it but that its time is over. */
type SessionVerdict =
  | { readonly kind: 'live' | 'run-out'; readonly token: VerifiedToken; readonly holder: SessionHolder }
  | { readonly kind: 'bad' };

const bad: SessionVerdict = { kind: 'bad' };

export function judgeSession(
  text: string,
  host: string,
  snapshot: Pick<Snapshot, 'clockSkewSeconds'>,
  live: Pick<LiveIndex, 'verify'>,
  now: EpochSeconds,
): SessionVerdict {
  const token = live.verify(text);
  if (token.kind === 'refused' || token.type !== 'session') return bad;
  const { sub: account, sid: session, did: device, aud } = token.claims;
  if (account === undefined || session === undefined || device === undefined) return bad;
  // a session is of one host: a cookie that was made for another host says nothing here
  if (aud === undefined || !aud.includes(host)) return bad;
  const holder: SessionHolder = { account, session, device, host };
  // control says how long a session lives; the longest life that a route sets is for tokens that others make
  const late = checkTimes(token, now, snapshot.clockSkewSeconds, Number.MAX_SAFE_INTEGER);
  if (late === 'token-expired') return { kind: 'run-out', token, holder };
  return late === null ? { kind: 'live', token, holder } : bad;
}
