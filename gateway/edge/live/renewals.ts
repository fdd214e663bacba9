// Renews the pass or session that let a request in, once half of its life is over. The request does not wait: what is ready when its
// answer begins goes along with it, else with the next answer to the same holder. Bounded, and forgetful: what is lost here is asked
// for again. A renewed pass is made from a new answer of control, so it is never wider or longer than that. What no answer carried in
// time is dropped: no client gets a cookie that would have to be renewed at once, or that has run out.

import { LRUCache } from 'lru-cache';
import type { SessionHolder } from '../../core/decision/state/access.ts';
import type { RenewedSession } from '../../core/decision/state/lookups.ts';
import type { RoutePolicy, Snapshot } from '../../core/decision/state/snapshot.ts';
import { hangingOn, memberClaims } from '../../core/decision/verdict/account-pass.ts';
import { judgeSession } from '../../core/decision/verifier/judge-session.ts';
import { isWildcardHost } from '../../core/model/host-pattern.ts';
import { isOfKind } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { TokenClaims } from '../../core/token/claims.ts';
import type { VerifiedToken } from '../../core/token/common-key-token.ts';
import { scopeOfPattern } from '../../core/token/path-pattern.ts';
import { opensPath } from '../../core/token/scope.ts';
import type { Described } from '../request/describe.ts';
import type { ControlPort } from './control-questions.ts';
import type { LiveKeys } from './live-keys.ts';
import type { Lookups } from './lookups.ts';

/** What the next answer to the holder carries. */
type Renewed =
  | { readonly kind: 'pass'; readonly claims: TokenClaims }
  | { readonly kind: 'session'; readonly session: RenewedSession | 'clear' };

interface Slot {
  /** `null`: control is being asked, or had no answer and is not asked again for a while. */
  readonly renewed: Renewed | null;
  /** From then on it is given to no client: half of its life is over. */
  readonly usefulUntil: EpochSeconds;
  /** Control is not asked again before. */
  readonly againMs: number;
}

interface RenewalsOptions {
  readonly control: ControlPort;
  readonly lookups: Lookups;
  readonly live: LiveKeys;
  readonly nowMs: () => number;
  readonly now: () => EpochSeconds;
}

/** What a renewal is decided by: the request that brought the token. */
interface RenewalOccasion {
  readonly request: Pick<Described, 'host' | 'path' | 'sessionCookie'>;
  readonly route: RoutePolicy;
  readonly snapshot: Snapshot;
  readonly now: EpochSeconds;
}

const maxSlots = 4096;
const askedMs = 10_000;
const afterAwayMs = 5_000;
const afterRefusalMs = 60_000;
/** How long the cookie of a session that has ended is cleared: the browser may have signed in again since control said so. */
const clearForSeconds = 60;

export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #slots = new LRUCache<string, Slot>({ max: maxSlots });

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  /** Has the token renewed, unless its renewal is under way, done, or was refused a moment ago. */
  begin(token: VerifiedToken, occasion: RenewalOccasion): void {
    const key = keyOf(token);
    const slot = this.#slots.get(key);
    const { nowMs } = this.#options;
    if (slot !== undefined && (nowMs() < slot.againMs || this.#isUseful(slot))) return;
    const atOnce = this.#fromMemory(token, occasion);
    if (atOnce !== null) {
      this.#keep(key, atOnce);
      return;
    }
    this.#wait(key, askedMs);
    void this.#ask(token, occasion).then((renewed) => {
      if (typeof renewed === 'number') this.#wait(key, renewed);
      else this.#keep(key, renewed);
    });
  }

  /** What is ready for the holder of this token; it is given once. */
  take(token: VerifiedToken): Renewed | null {
    const key = keyOf(token);
    const slot = this.#slots.get(key);
    if (slot === undefined || slot.renewed === null || !this.#isUseful(slot)) return null;
    // a client that sends the old cookie on another connection does not have control asked again at once
    this.#wait(key, askedMs);
    return slot.renewed;
  }

  #isUseful({ renewed, usefulUntil }: Slot): boolean {
    return renewed !== null && this.#options.now() < usefulUntil;
  }

  #keep(key: string, renewed: Renewed): void {
    const usefulUntil = this.#usefulUntil(renewed);
    // made shortly before the access itself ends: the token that is there lasts as long
    if (usefulUntil <= this.#options.now()) this.#wait(key, afterAwayMs);
    else this.#slots.set(key, { renewed, usefulUntil, againMs: 0 });
  }

  #wait(key: string, forMs: number): void {
    this.#slots.set(key, { renewed: null, usefulUntil: 0, againMs: this.#options.nowMs() + forMs });
  }

  #usefulUntil(renewed: Renewed): EpochSeconds {
    const { now, live } = this.#options;
    if (renewed.kind === 'pass') {
      const { iat = renewed.claims.exp, exp } = renewed.claims;
      return Math.ceil((iat + exp) / 2);
    }
    if (renewed.session === 'clear') return now() + clearForSeconds;
    const token = live.verify(renewed.session.token);
    // a session token that this edge cannot verify would not open the next request either
    return token.kind === 'verified' ? token.renewFrom : 0;
  }

  /** A pass from an answer that is known, when the request shows as well that its session goes on. */
  #fromMemory(token: VerifiedToken, { request, route, snapshot, now }: RenewalOccasion): Renewed | null {
    const { origin, claims } = token;
    if (origin !== 'member' || request.sessionCookie === null) return null;
    const { live } = this.#options;
    const session = judgeSession(request.sessionCookie, request.host, snapshot, live, now);
    if (session.kind !== 'live' || session.holder.session !== holderOf(claims, request.host)?.session) return null;
    if (session.holder.account !== claims.sub || live.isRevoked(session.token)) return null;
    const answer = live.findAccess(session.holder.account, request.host, request.path, now);
    if (answer?.kind !== 'granted') return null;
    const { claims: renewed, issuable } = memberClaims(answer, session.holder, route, snapshot, now, live.position);
    return issuable ? { kind: 'pass', claims: narrowed(renewed, token) } : null;
  }

  /** @returns milliseconds to wait before it is asked again, when it was not renewed */
  async #ask(token: VerifiedToken, occasion: RenewalOccasion): Promise<Renewed | number> {
    const { claims } = token;
    const { request, route, snapshot, now } = occasion;
    if (claims.cred !== undefined) {
      const { sub, cred } = claims;
      if (sub === undefined) return afterRefusalMs;
      // before it is asked: what goes meanwhile ends what is made of the answer
      const { position } = this.#options.live;
      const answer = await this.#options.control.renewPassword({ userRecordId: cred.id, version: cred.v, sub });
      if (answer.kind === 'away' || (position === null && route.isRevocable)) return afterAwayMs;
      const exp = now + Math.min(snapshot.passTtlSeconds, route.maxTokenTtlSeconds);
      if (answer.kind === 'gone') return afterRefusalMs;
      const { hosts = [request.host] } = claims;
      return { kind: 'pass', claims: { ...claims, hosts, ...hangingOn(cred.id, position), iat: now, exp } };
    }
    const holder = holderOf(claims, request.host);
    if (holder === null) return afterRefusalMs;
    if (token.type === 'session') {
      const answer = await this.#options.lookups.session(holder);
      if (answer.kind === 'away') return afterAwayMs;
      return { kind: 'session', session: answer.kind === 'renewed' ? answer : 'clear' };
    }
    // two people used this browser one after the other: a pass of the first is not kept alive by the session of the second
    if (request.sessionCookie !== null) {
      const present = this.#options.live.verify(request.sessionCookie);
      if (present.kind === 'verified' && present.claims.sub !== holder.account) return afterRefusalMs;
    }
    // a pass opens many paths, and each does for the question; this path is the one that is asked for now
    const answer = await this.#options.lookups.access(holder, request.path);
    if (answer.kind === 'away') return afterAwayMs;
    if (answer.kind !== 'granted') return afterRefusalMs;
    const { claims: renewed, issuable } = memberClaims(
      answer,
      holder,
      route,
      snapshot,
      now,
      this.#options.live.position,
    );
    return issuable ? { kind: 'pass', claims: narrowed(renewed, token) } : afterRefusalMs;
  }
}

/** The account and session that a pass or session token is of, as its claims say; null for a pass that came without a session. */
export function holderOf(claims: TokenClaims, host: string): SessionHolder | null {
  const account = claims.sub;
  const session = claims.sid ?? claims.n?.find((node) => isOfKind('session', node));
  const device = claims.did ?? claims.n?.find((node) => isOfKind('device', node));
  if (account === undefined || session === undefined || device === undefined) return null;
  return { account, session, device, host };
}

/**
 * The claims of a renewed pass: its own scope, where the new answer is wider. A pass may have been given for less than its account
 * may open, and a client that holds it is not always that account.
 */
function narrowed(renewed: TokenClaims, { claims: own, scope }: VerifiedToken): TokenClaims {
  const { hosts, paths, methods: before, aud } = own;
  const now = renewed.methods;
  // both cover the path that was asked for, so one lies inside the other
  const isInside =
    renewed.paths?.every((path) => scope.paths !== null && opensPath(scope.paths, scopeOfPattern(path))) ?? false;
  const methods = before === undefined ? now : now === undefined ? before : now.filter((one) => before.includes(one));
  const { methods: _, aud: __, ...rest } = renewed;
  return {
    ...rest,
    ...(hosts === undefined || hosts.some(isWildcardHost) ? {} : { hosts }),
    ...(isInside || paths === undefined ? {} : { paths }),
    ...(methods === undefined ? {} : { methods }),
    ...(aud === undefined ? {} : { aud }),
  };
}

/** Everything that tells two holders apart; the token's text is not kept. */
function keyOf({ type, claims }: VerifiedToken): string {
  const { sub, sid, did, grant, cred, aud, hosts, paths, n } = claims;
  return JSON.stringify([type, sub, sid, did, grant, cred, aud, hosts, paths, type === 'session' ? null : n]);
}
