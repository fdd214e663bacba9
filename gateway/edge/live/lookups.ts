// Carries the questions of `decide` to control and the answers back: one flight per question, so many at once and no more.
// Access answers go into the cache on their way, unless a change overtook them: then control is asked once more.
// Never throws. No answer is `away`, which is no verdict and is never kept.

import type { AccessAnswer, SessionEnded, SessionHolder } from '../../core/decision/state/access.ts';
import type { AccessCache } from '../../core/decision/state/access-cache.ts';
import type {
  Answers,
  Lookup,
  NoAnswer,
  PasswordLookupAnswer,
  RenewedSession,
} from '../../core/decision/state/lookups.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { AccessMetrics } from '../../telemetry/access-metrics.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { PasswordQuestion } from '../../wire/questions.ts';
import { networkOf } from '../request/rate-limits.ts';
import { maxGuesses, maxKnownGuesses } from './control-connections.ts';
import type { ControlPort } from './control-questions.ts';
import { FlightShares } from './flight-shares.ts';
import { GuessWaits } from './guess-waits.ts';
import { KnownGuessers } from './known-guessers.ts';

type AccessReply = AccessAnswer | SessionEnded | NoAnswer;
type SessionReply = RenewedSession | SessionEnded | NoAnswer;

interface LookupsOptions {
  readonly control: ControlPort;
  readonly cache: AccessCache;
  readonly metrics: AccessMetrics;
  readonly now: () => EpochSeconds;
  /** Default: the machine's. */
  readonly nowMs?: () => number;
}

/** Questions about access and sessions on their way at once, each counted once however many requests wait for it; by account. */
const memberBounds = { max: 1024, maxPerSource: 256 };
/** Guesses of passwords: the one question that any client can cause by a request. Control lets fewer wait than an edge may ask. */
const guessBounds = { max: maxGuesses, maxPerSource: 4 };
/** For users who are known where they are: no stranger takes these places. */
const knownBounds = { max: maxKnownGuesses, maxPerSource: 4 };
const guessRetrySeconds = 1;
const away: NoAnswer = { kind: 'away' };

export class Lookups {
  readonly #options: LookupsOptions;
  readonly #access = new Map<string, Promise<AccessReply>>();
  readonly #sessions = new Map<string, Promise<SessionReply>>();
  readonly #passwords = new Map<string, Promise<PasswordLookupAnswer>>();
  readonly #members = new FlightShares(memberBounds);
  readonly #guesses = new FlightShares(guessBounds);
  readonly #knownGuesses = new FlightShares(knownBounds);
  readonly #waits: GuessWaits;
  readonly #known: KnownGuessers;

  constructor(options: LookupsOptions) {
    this.#options = options;
    this.#waits = new GuessWaits(options.nowMs ?? monotonicMs);
    this.#known = new KnownGuessers((question) => options.control.askKnown(question));
  }

  /** @returns what was answered before, with the answer to this question */
  async answer(lookup: Lookup, before: Answers, clientAddress: string): Promise<Answers> {
    switch (lookup.question) {
      case 'password': {
        const { user, password, route } = lookup;
        const question = { route: route.name, user, password, address: clientAddress };
        return { ...before, password: await this.#password(question) };
      }
      case 'session':
        return { ...before, session: await this.session(lookup.holder) };
      case 'access':
        return { ...before, access: await this.access(lookup.holder, lookup.path) };
      default:
        return lookup satisfies never;
    }
  }

  /**
   * One flight for the same guess from the same address, as players open several connections at once. The key holds the password
   * for as long as the question is on its way, as the request itself does.
   */
  #password(question: PasswordQuestion): Promise<PasswordLookupAnswer> {
    const { address, user, password } = question;
    const key = JSON.stringify([address, user, password]);
    const running = this.#passwords.get(key);
    if (running !== undefined) return running;
    const flight = this.#guess(question).finally(() => this.#passwords.delete(key));
    this.#passwords.set(key, flight);
    return flight;
  }

  /** Strangers have so many places, and none while control is known to send them away; who is known has others. */
  async #guess(question: PasswordQuestion): Promise<PasswordLookupAnswer> {
    const { address, user } = question;
    const source = networkOf(address);
    const own = this.#waits.ofPair(source, user);
    if (own > 0) return this.#turnAway(own);
    const held = this.#waits.ofStrangers(source);
    if (held === 0 && this.#guesses.enter(source)) return await this.#askPassword(question, source, this.#guesses);
    const acquaintance = await this.#known.find(user, address);
    switch (acquaintance) {
      case 'away':
        return away;
      case 'stranger':
      case 'crowded':
        return this.#turnAway(Math.max(held, guessRetrySeconds));
      case 'known':
        if (!this.#knownGuesses.enter(source)) return this.#turnAway(guessRetrySeconds);
        return await this.#askPassword(question, source, this.#knownGuesses);
      default:
        return acquaintance satisfies never;
    }
  }

  #turnAway(retryAfterSeconds: number): PasswordLookupAnswer {
    this.#options.metrics.guessTurnedAway();
    return { kind: 'busy', retryAfterSeconds };
  }

  /** Asks about a guess that has entered, and leaves. */
  async #askPassword(question: PasswordQuestion, source: string, shares: FlightShares): Promise<PasswordLookupAnswer> {
    // before it is asked: what goes meanwhile ends what is made of the answer
    const { position } = this.#options.cache;
    const answer = await this.#options.control.askPassword(question).finally(() => shares.leave(source));
    if (answer.kind === 'away') return answer;
    // the answer to a guess of a known user says nothing of strangers
    if (shares === this.#guesses) this.#waits.note(source, question.user, answer);
    return answer.kind === 'verified' ? { ...answer, position } : answer;
  }

  /** Whether the holder may open the path. */
  access(holder: SessionHolder, path: string): Promise<AccessReply> {
    // everything that the answer may depend on: only equal questions share an answer
    return this.#fly(this.#access, [...partsOf(holder), path], () => this.#askAccess(holder, path));
  }

  /** A new token for a session. */
  session(holder: SessionHolder): Promise<SessionReply> {
    return this.#fly(this.#sessions, partsOf(holder), () => this.#askSession(holder));
  }

  async #askSession(holder: SessionHolder): Promise<SessionReply> {
    const answer = await this.#options.control.renewSession(holder);
    this.#options.metrics.asked('session', answer.kind);
    return answer;
  }

  #fly<R>(flights: Map<string, Promise<R | NoAnswer>>, parts: readonly string[], ask: () => Promise<R | NoAnswer>) {
    const key = JSON.stringify(parts);
    const running = flights.get(key);
    if (running !== undefined) return running;
    // every path is a question of its own, and one account may ask for ever new ones
    const [account = ''] = parts;
    if (!this.#members.enter(account)) return Promise.resolve(away);
    const flight = ask().finally(() => {
      flights.delete(key);
      this.#members.leave(account);
    });
    flights.set(key, flight);
    return flight;
  }

  async #askAccess(holder: SessionHolder, path: string): Promise<AccessReply> {
    const { control, cache, metrics, now } = this.#options;
    const { account, host } = holder;
    for (let attempt = 0; attempt < 2; attempt++) {
      const flight = cache.begin();
      const answer = await control.askAccess({ ...holder, path });
      metrics.asked('access', answer.kind);
      const said = answer.kind === 'granted' || answer.kind === 'none' ? answer : null;
      const holds = cache.finish(flight, { account, host, path }, said, now());
      if (said === null || holds) return answer;
    }
    // changes keep overtaking the answers; a little later there will be one
    return away;
  }
}

function partsOf({ account, session, device, host }: SessionHolder): readonly string[] {
  return [account, session, device, host];
}
