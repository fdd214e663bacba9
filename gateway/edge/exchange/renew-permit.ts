// Asks control again for what is open longer than the token that opened it: a tunnel of a session or a member goes on while the
// answer is yes. A few questions at once, the others wait in line; each tunnel stands there once.
// What came with an explicit token or a password is not asked for: whoever holds those can open another tunnel.
// Rules: gateway/RULES.md "One graph of revocation": a tunnel ends at the end of the newest answer.

import { decide, type Permit } from '../../core/decision/decide.ts';
import type { SessionHolder } from '../../core/decision/state/access.ts';
import { type Answers, noAnswers } from '../../core/decision/state/lookups.ts';
import type { Upgrade } from '../../http1/upgrade.ts';
import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';
import { holderOf } from '../live/renewals.ts';
import type { Described } from '../request/describe.ts';
import type { Exchange } from './exchange.ts';
import { isWelcome } from './judge-upgrade.ts';
import type { Runtime } from './runtime.ts';
import type { Tunnel } from './tunnel.ts';

/** `gone`: control said no; `away`: nobody can say right now. */
export type Prolonged =
  | { readonly kind: 'renewed'; readonly permit: Permit; readonly request: Described }
  | { readonly kind: 'gone' }
  | { readonly kind: 'away' };

/** Questions for tunnels at once: a quarter of an edge's connections to control, the others are for requests. */
const maxAtOnce = 8;
/** What the session is asked about decides by it alone; a token of the site's own beside it would be no help and no harm. */
const noExplicitToken = { explicitToken: null, explicitForm: null, explicitCount: 0, moreTokens: [] } as const;
const gone: Prolonged = { kind: 'gone' };
const away: Prolonged = { kind: 'away' };

/** Tunnels that wait for control's word. One per edge. */
export class PermitRenewals {
  readonly #runtime: Runtime;
  readonly #waiting = new Set<Tunnel>();
  #running = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Has it asked, once more even when an answer is on its way: that one may say what was true before. */
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

/** Who may be asked about; null where the end of the permit is the end. */
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
  if (holder === null) return gone;
  const { lookups } = runtime.membership;
  const session = await lookups.session(holder);
  if (session.kind !== 'renewed') return session.kind === 'ended' ? gone : away;
  const { permit } = exchange;
  const request: Described = {
    ...exchange.request,
    ...noExplicitToken,
    passCookies: [],
    basic: null,
    sessionCookie: session.token,
  };
  const { live } = runtime;
  let answers: Answers = noAnswers;
  for (;;) {
    live.nowMs = monotonicMs();
    // where anyone is let in too, not to know would make a stranger of somebody
    if (permit.route.isRevocable && live.indexAgeMs > permit.route.maxStalenessMs) return away;
    // the token is of this moment, and the ticker's is up to a quarter of a second old
    const decision = decide(request, runtime.snapshot, live, epochSeconds(), answers);
    if (decision.kind === 'deny') return decision.reason === 'control-away' ? away : gone;
    if (decision.kind === 'allow') {
      const { upgrade: policy, name } = decision.route;
      if (name !== permit.route.name || policy?.protocols.includes(upgrade.protocol) !== true) return gone;
      // the site was told at the beginning who it is
      if (decision.claims?.sub !== holder.account) return gone;
      const isSame = isWelcome(request, decision, policy, exchange.downstream.arrival);
      return isSame ? { kind: 'renewed', permit: decision, request } : gone;
    }
    if (decision.question !== 'access' || answers.access !== null) return away;
    answers = await lookups.answer(decision, answers, request.clientAddress);
    if (answers.access?.kind === 'away') return away;
  }
}
