// Decides again for what is open: the facts are those of its request; configuration, keys and time are today's. `judgeAgain` is the
// one rule, and three ask it: running answers after a revocation, tunnels whenever what an edge knows has changed, and tunnels that
// go on for as long as control says yes.
// Nothing is kept per request for it: the edge knows its connections, and a permit knows its token.
// Rules: gateway/RULES.md "Revocation" and "One graph of revocation".

import { decide, type Permit } from '../../core/decision/decide.ts';
import type { SessionHolder } from '../../core/decision/state/access.ts';
import { type Answers, type Lookup, noAnswers } from '../../core/decision/state/lookups.ts';
import type { LiveIndex, Snapshot } from '../../core/decision/state/snapshot.ts';
import { saysOldGroups } from '../../core/decision/verifier/judge-token.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Upgrade } from '../../http1/upgrade.ts';
import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';
import type { ConnectionInfo } from '../listen/connection-info.ts';
import { holderOf } from '../live/renewals.ts';
import type { Described } from '../request/describe.ts';
import type { Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';
import { isWelcome } from './judge-upgrade.ts';
import type { Runtime } from './runtime.ts';
import type { Tunnel } from './tunnel.ts';

/** Something that was allowed and is open still. */
interface OpenRequest {
  readonly request: Described;
  readonly permit: Permit;
  /** What its connection switched to; null for an answer. */
  readonly upgrade: Upgrade | null;
  readonly connection: ConnectionInfo;
}

/** What is decided by now. */
interface DecidingEdge {
  readonly snapshot: Snapshot;
  /** Its `nowMs` is set. */
  readonly live: LiveIndex;
}

type SecondVerdict =
  /** @member permit  a new one; null while the index is stale and nothing is known against the old one */
  | { readonly kind: 'stands'; readonly permit: Permit | null }
  | { readonly kind: 'gone' }
  /** @member lookup  what control would have to be asked; null when it was asked and did not answer */
  | { readonly kind: 'ask'; readonly lookup: Lookup | null };

const gone: SecondVerdict = { kind: 'gone' };
const standsForNow: SecondVerdict = { kind: 'stands', permit: null };
const controlIsAway: SecondVerdict = { kind: 'ask', lookup: null };

/**
 * Whether what is open would be allowed again, by any credential that its request came with.
 *
 * @param answers  control's answers to the look-ups that calls before this one returned; null when control is not going to be asked
 */
function judgeAgain(
  { request, permit, upgrade, connection }: OpenRequest,
  { snapshot, live }: DecidingEdge,
  now: EpochSeconds,
  answers: Answers | null,
): SecondVerdict {
  const decision = decide(request, snapshot, live, now, answers);
  if (decision.kind === 'deny') {
    if (decision.reason === 'control-away' && answers !== null) return controlIsAway;
    // while nothing is known to be revoked what is open needs no fresh index; who asks control looks at its age before
    const isStale = decision.reason === 'index-stale' && answers === null;
    return isStale && !hangsOnRevoked(permit, live) ? standsForNow : gone;
  }
  const { route } = decision;
  // another route is another permission, even where it would allow as much
  if (route.name !== permit.route.name) return gone;
  if (upgrade !== null && route.upgrade?.protocols.includes(upgrade.protocol) !== true) return gone;
  if (decision.kind === 'lookup') return { kind: 'ask', lookup: decision };
  // an answer is not asked by which page it was asked for
  if (upgrade === null || route.upgrade === null) return { kind: 'stands', permit: decision };
  return isWelcome(request, decision, route.upgrade, connection) ? { kind: 'stands', permit: decision } : gone;
}

/** Whether the credential behind a permit was revoked, or says groups that have changed where the route goes by them; another one may still open the same. False where a route says that nothing is revoked. */
function hangsOnRevoked(permit: Permit, live: LiveIndex): boolean {
  if (!permit.route.isRevocable) return false;
  if (permit.route.allow !== null && permit.claims !== null && saysOldGroups(permit.claims, live)) return true;
  if (permit.token !== null) return live.isRevoked(permit.token);
  // a member came in by control's answer, and hangs on what the pass made from it does
  const { n, v } = permit.claims ?? {};
  return v !== undefined && live.hasRevoked(n ?? [], { epoch: v[0], seq: v[1] });
}

// 1. Running answers and tunnels, after something was revoked.

// Others get their turn after this long: to end an answer costs a tenth of a millisecond, to look at one a hundredth of that.
const sliceMs = 5;
const looksPerClock = 64;
// How often control is told that the work goes on; well below the time that an edge has.
const tellEveryMs = 80;

/**
 * Ends every open answer and tunnel whose permit does not hold any more, the first ones before this returns. What does not hang on
 * what was revoked costs one look, so ten thousand open answers cost a few milliseconds, in slices.
 *
 * @param done   called once all that was open at the call has been looked at
 * @param going  called now and then while it takes longer
 */
export function endRevokedPermits(runtime: Runtime, done: () => void, going: () => void): void {
  const { connections, live } = runtime;
  const open: readonly (Tunnel | Downstream)[] = [...connections.tunnels.all(), ...connections.all()];
  let at = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  const slice = (): void => {
    const startedMs = monotonicMs();
    live.nowMs = startedMs;
    // what is revoked is refused from here on, and control, which waits for this edge, is told so before it takes long
    if (at > 0 && startedMs - toldMs > tellEveryMs) {
      toldMs = startedMs;
      going();
    }
    while (at < open.length) {
      lookAt(runtime, open[at]);
      at += 1;
      if (at % looksPerClock === 0 && monotonicMs() - startedMs > sliceMs) {
        setImmediate(slice);
        return;
      }
    }
    done();
  };
  slice();
}

function lookAt(runtime: Runtime, each: Tunnel | Downstream | undefined): void {
  const exchange = each?.exchange;
  if (each === undefined || exchange == null || !hangsOnRevoked(exchange.permit, runtime.live)) return;
  if ('reconsider' in each) {
    each.reconsider();
    return;
  }
  const { request, permit } = exchange;
  const answer: OpenRequest = { request, permit, upgrade: null, connection: each.connection };
  // something else in the request may let it pass still: another cookie, another rule of the route
  if (judgeAgain(answer, runtime, runtime.ticker.epochSeconds, null).kind !== 'stands') exchange.revoke();
}

// 2. Tunnels, after a reload and whenever what an edge knows has changed.

/** It changes nothing. A password is not asked for twice: its pass has an end. */
export function isStillAllowed(runtime: Runtime, exchange: Exchange, upgrade: Upgrade): boolean {
  const { request, permit, downstream } = exchange;
  const { live, ticker } = runtime;
  live.nowMs = monotonicMs();
  const tunnel: OpenRequest = { request, permit, upgrade, connection: downstream.connection };
  const verdict = judgeAgain(tunnel, runtime, ticker.epochSeconds, null);
  if (verdict.kind !== 'ask') return verdict.kind === 'stands';
  // Control is not asked now: a password's permit has an end, and so have a session's and a member's, which end with a revocation
  // as well.
  if (verdict.lookup === null || hangsOnRevoked(permit, live)) return false;
  if (verdict.lookup.question === 'password') return permit.how === 'password';
  // a session beside a password is asked about first
  return permit.how === 'member' || permit.how === 'session' || (permit.how === 'password' && request.basic !== null);
}

// 3. Tunnels that are open longer than the token that opened them: a tunnel of a session or a member goes on while control says yes.
// Control is not asked about a tunnel that came with an explicit token or a password: the client holds those, and can open another.

/** `gone`: control said no; `away`: nobody can say right now. */
export type Prolonged =
  | { readonly kind: 'renewed'; readonly permit: Permit; readonly request: Described }
  | { readonly kind: 'gone' }
  | { readonly kind: 'away' };

/** Questions for tunnels at once: a quarter of an edge's connections to control, the others are for requests. */
const maxAtOnce = 8;
/** What the session is asked about decides by it alone; a token of the site's own beside it would be no help and no harm. */
const noExplicitToken = { explicitToken: null, explicitForm: null, explicitCount: 0, moreTokens: [] } as const;
const refused: Prolonged = { kind: 'gone' };
const away: Prolonged = { kind: 'away' };

/** Tunnels that wait for control's word, each at most once. One per edge. */
export class PermitRenewals {
  readonly #runtime: Runtime;
  readonly #waiting = new Set<Tunnel>();
  #running = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Has control asked about the tunnel, once more even when an answer is on its way: that one may say what was true before. */
  ask(tunnel: Tunnel): void {
    this.#waiting.add(tunnel);
    this.#next();
  }

  forget(tunnel: Tunnel): void {
    this.#waiting.delete(tunnel);
  }

  #next(): void {
    for (const tunnel of this.#waiting) {
      if (this.#running >= maxAtOnce) return;
      this.#waiting.delete(tunnel);
      this.#running++;
      void renewPermit(this.#runtime, tunnel.exchange, tunnel.upgrade).then((outcome) => {
        this.#running--;
        tunnel.prolong(outcome);
        this.#next();
      });
    }
  }
}

/** The session that control may be asked about; null where the end of the permit is the end. */
export function renewableHolder({ permit, request }: Exchange): SessionHolder | null {
  const { how, place, claims, route } = permit;
  if (claims === null || !route.looksAtSessions) return null;
  if (how === 'pass' ? place !== 'pass-cookie' || claims.grant === undefined : !isSigned(how)) return null;
  return holderOf(claims, request.host);
}

function isSigned(how: Permit['how']): boolean {
  return how === 'session' || how === 'member';
}

/** Decides for the same request as if it came with the session's next token. Never throws. */
async function renewPermit(runtime: Runtime, exchange: Exchange, upgrade: Upgrade): Promise<Prolonged> {
  const holder = renewableHolder(exchange);
  if (holder === null) return refused;
  const { lookups } = runtime.membership;
  const session = await lookups.session(holder);
  if (session.kind !== 'renewed') return session.kind === 'ended' ? refused : away;
  const { permit } = exchange;
  const request: Described = {
    ...exchange.request,
    ...noExplicitToken,
    passCookies: [],
    basic: null,
    sessionCookie: session.token,
  };
  const tunnel: OpenRequest = { request, permit, upgrade, connection: exchange.downstream.connection };
  const { live } = runtime;
  let answers: Answers = noAnswers;
  for (;;) {
    live.nowMs = monotonicMs();
    // on a route that takes anyone too, `decide` would take a visitor for a stranger while the index is stale
    if (permit.route.isRevocable && live.indexAgeMs > permit.route.maxStalenessMs) return away;
    // the token is of this moment, and the ticker's time is up to a quarter of a second old
    const verdict = judgeAgain(tunnel, runtime, epochSeconds(), answers);
    if (verdict.kind === 'gone') return refused;
    if (verdict.kind === 'stands') {
      const { permit: renewed } = verdict;
      // the site was told at the beginning who it is
      return renewed?.claims?.sub === holder.account ? { kind: 'renewed', permit: renewed, request } : refused;
    }
    const { lookup } = verdict;
    if (lookup?.question !== 'access' || answers.access !== null) return away;
    answers = await lookups.answer(lookup, answers, request.clientAddress);
    if (answers.access?.kind === 'away') return away;
  }
}
