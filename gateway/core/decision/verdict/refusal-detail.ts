// Says which check a refused token failed, with both compared values: for the decision log, and for `latchkey token inspect`.
// The text is made for refusals only. Of the token it holds only claims that open nothing, cut and cleaned.

import { domainOf } from '../../model/mail-address.ts';
import type { EpochSeconds } from '../../model/time.ts';
import type { TokenClaims } from '../../token/claims.ts';
import type { TokenRefusal, VerifiedToken } from '../../token/common-key-token.ts';
import { tokenKinds } from '../../token/token-kinds.ts';
import type { RequestFacts } from '../state/facts.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from '../state/snapshot.ts';
import type { DenyReason } from './reasons.ts';

/** The circumstances that the token was judged in. */
interface RefusalCircumstances {
  readonly route: RoutePolicy;
  readonly facts: Pick<RequestFacts, 'method' | 'host' | 'path' | 'clientAddress'>;
  readonly now: EpochSeconds;
  readonly snapshot: Pick<Snapshot, 'clockSkewSeconds'>;
  readonly live: Pick<LiveIndex, 'placesAhead' | 'indexAgeMs'>;
}

const maxListed = 5;
const maxTextLength = 80;

export function refusalDetail(
  token: VerifiedToken | TokenRefusal,
  reason: DenyReason,
  { route, facts, now, snapshot, live }: RefusalCircumstances,
): string {
  if (token.kind === 'refused') return token.detail;
  const { claims, exp, nbf, iat } = token;
  const skew = `with ${span(snapshot.clockSkewSeconds)} of clock skew`;
  switch (reason) {
    case 'token-expired':
      return now >= exp ? `expired ${about(now - exp)} ago` : `expires now, ${skew}`;
    case 'token-not-yet-valid':
      return `holds in ${about(nbf - now)} only, ${skew}`;
    case 'token-issued-ahead':
      return `was issued ${about(iat - now)} from now, ${skew}`;
    case 'token-lives-too-long': {
      const most = token.type === 'pass' ? route.maxPassTtlSeconds : route.maxTokenTtlSeconds;
      const life = iat < 0 ? `lives ${span(exp - now)} from now and says no iat` : `lives ${span(exp - iat)}`;
      return `${life}, the route takes ${span(most)}${unitHint(exp)}`;
    }
    case 'token-wrong-audience':
      return audienceDetail(claims.aud, route.audience);
    case 'token-unscoped':
      return 'has no paths, and the route does not allow that (unscoped_tokens)';
    case 'outside-path':
      return `opens ${list(claims.paths)}, the path is ${text(facts.path)}`;
    case 'outside-method':
      return `is for ${list(claims.methods)}, the method is ${text(facts.method)}`;
    case 'outside-host':
      return `is for ${list(claims.hosts)}, the host is ${text(facts.host)}`;
    case 'outside-address':
      return `is for ${list(claims.ips)}, the client is ${text(facts.clientAddress)}`;
    case 'not-allowed-here':
      return whoDetail(claims);
    case 'token-wrong-type':
      return 'a session stands in its cookie and nowhere else';
    case 'token-bad-claims':
      return badClaimsDetail(token, live);
    case 'token-revoked':
      return `was revoked: by id, subject or key, or with what it hangs on (${list(claims.n)})`;
    case 'index-stale':
      return staleDetail(token, live);
    case 'credential-not-accepted':
      return `${kindOf(token)}, which the route does not take`;
    default:
      return 'the token was refused';
  }
}

/** Who asked on a route that names others: groups and the domain, for the operator who wrote the rule. The address itself is the user's. */
export function whoDetail({ email, groups }: Pick<TokenClaims, 'email' | 'groups'>): string {
  const address = email === undefined ? 'no address' : `an address at ${text(domainOf(email))}`;
  return `has ${groups === undefined || groups.length === 0 ? 'no group' : `the groups ${list(groups)}`} and ${address}, the route names others (allow)`;
}

/** A word about an `exp` in milliseconds, as many languages count time: eleven digits last until the year 5138, and thirteen are milliseconds. */
export function unitHint(exp: number): string {
  return exp > 100_000_000_000 ? '; exp looks like milliseconds, and a token counts seconds' : '';
}

/** Why the known revocations do not say yet whether a token was revoked. */
export function staleDetail(token: VerifiedToken, live: RefusalCircumstances['live']): string {
  const ahead = live.placesAhead(token);
  if (ahead > 0) return `was made ${ahead} places of the change log ahead of what is known here`;
  return Number.isFinite(live.indexAgeMs)
    ? `what was revoked is known as of ${about(Math.ceil(live.indexAgeMs / 1000))} ago`
    : 'what was revoked is not known yet';
}

/** The kind of a token, in the words of the person who set up the route. */
function kindOf({ type, origin }: Pick<VerifiedToken, 'type' | 'origin'>): string {
  if (type !== 'pass') return tokenKinds[type].words;
  if (origin === 'password') return 'a pass for a password';
  return origin === 'member'
    ? 'a pass for a membership'
    : `${tokenKinds.pass.words} that names no answer it was made from`;
}

const units: readonly (readonly [name: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** Seconds to the second, as a configuration would write them: `30 d`, `24 h`, `24 h 5 min`. */
export function span(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  let said = '';
  for (const [name, size] of units) {
    // people write a limit of one day as 24 h, and longer ones in days
    if (rest < (name === 'd' ? 2 * size : size)) continue;
    said += `${said === '' ? '' : ' '}${Math.floor(rest / size)} ${name}`;
    rest %= size;
  }
  return said === '' ? '0 s' : said;
}

/** Seconds, rounded: the first part of `span`. */
function about(seconds: number): string {
  return span(seconds).split(' ', 2).join(' ');
}

function audienceDetail(aud: TokenClaims['aud'], wanted: readonly string[]): string {
  if (wanted.length === 0) return `aud is ${list(aud)}, the route has no audience`;
  return `aud is ${aud === undefined ? 'missing' : list(aud)}, the route wants ${list(wanted)}`;
}

function badClaimsDetail(token: VerifiedToken, live: RefusalCircumstances['live']): string {
  if (typeof token.origin === 'object') return token.origin.detail;
  return `${staleDetail(token, live)}, further than an index can lag`;
}

function list(values: readonly string[] | undefined): string {
  if (values === undefined || values.length === 0) return 'nothing';
  const more = values.length > maxListed ? ` and ${values.length - maxListed} more` : '';
  return values.slice(0, maxListed).map(text).join(', ') + more;
}

function text(value: string): string {
  const clean = value.replace(/[^\x20-\x7e]/g, '?');
  return clean.length > maxTextLength ? `${clean.slice(0, maxTextLength)}...` : clean;
}
