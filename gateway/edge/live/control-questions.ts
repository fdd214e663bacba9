// What an edge asks control, one question a request: passwords, access, renewals; and its report of last use.
// Never throws: a question that was not answered in time and in form is `away`. It keeps nothing; caches are others' work.
// Never logs a question or an answer: they hold passwords and tokens.

import type {
  AccessAnswer,
  AccessQuestion,
  KnownAnswer,
  KnownQuestion,
  PasswordAnswer,
  PasswordQuestion,
  RenewPasswordAnswer,
  RenewPasswordQuestion,
  RenewSessionAnswer,
  RenewSessionQuestion,
  Seen,
  SeenReport,
  SessionEnded,
  StrangersWait,
} from '../../config/edge-feed.ts';
import { readAccessAnswer } from '../../core/decision/state/access.ts';
import { type ControlConnections, type ControlRoad, questionDeadlineMs } from './control-connections.ts';

/** Control did not answer within the deadline, or not in its form. */
export interface Away {
  readonly kind: 'away';
}

/** What the data plane asks; `ControlClient` for an edge. */
export interface ControlPort {
  askPassword(question: PasswordQuestion): Promise<PasswordAnswer | Away>;
  askKnown(question: KnownQuestion): Promise<KnownAnswer | Away>;
  renewPassword(question: RenewPasswordQuestion): Promise<RenewPasswordAnswer | Away>;
  askAccess(question: AccessQuestion): Promise<AccessAnswer | SessionEnded | Away>;
  renewSession(question: RenewSessionQuestion): Promise<RenewSessionAnswer | Away>;
  /** @returns whether control has it */
  reportSeen(seen: readonly Seen[]): Promise<boolean>;
}

const decisionsType = 'application/x-ndjson';
const away: Away = { kind: 'away' };

export class ControlQuestions implements ControlPort {
  readonly #edgeId: string;
  readonly #roads: ControlConnections;

  constructor(edgeId: string, roads: ControlConnections) {
    this.#edgeId = edgeId;
    this.#roads = roads;
  }

  askPassword(question: PasswordQuestion): Promise<PasswordAnswer | Away> {
    return this.#ask(this.#roads.guesses, '/password', question, readPasswordAnswer);
  }

  /** One at a time, on the road of the few: it must not wait behind the guesses that it tells apart. */
  askKnown(question: KnownQuestion): Promise<KnownAnswer | Away> {
    return this.#ask(this.#roads.questions, '/known', question, ({ known }: Partial<KnownAnswer>) =>
      Array.isArray(known) && known.length === question.places.length ? { known } : away,
    );
  }

  renewPassword(question: RenewPasswordQuestion): Promise<RenewPasswordAnswer | Away> {
    return this.#ask(this.#roads.questions, '/renew-password', question, (answer: Partial<RenewPasswordAnswer>) =>
      answer.kind === 'stands' || answer.kind === 'gone' ? { kind: answer.kind } : away,
    );
  }

  askAccess(question: AccessQuestion): Promise<AccessAnswer | SessionEnded | Away> {
    return this.#ask(
      this.#roads.questions,
      '/access',
      question,
      (answer: unknown) => readAccessAnswer(answer, question) ?? away,
    );
  }

  renewSession(question: RenewSessionQuestion): Promise<RenewSessionAnswer | Away> {
    return this.#ask(this.#roads.questions, '/renew-session', question, (answer: RenewSessionAnswer) =>
      answer.kind === 'renewed' || answer.kind === 'ended' ? answer : away,
    );
  }

  async reportSeen(seen: readonly Seen[]): Promise<boolean> {
    const report: SeenReport = { edge: this.#edgeId, seen };
    const { records } = this.#roads;
    return (await this.#request(records, '/seen', report, (status) => (status === 204 ? true : null))) === true;
  }

  /** Lines of decision records, see core/model/decision-record.ts. @returns whether control has them */
  async reportDecisions(lines: string): Promise<boolean> {
    const question = { path: '/decisions', contentType: decisionsType, content: lines };
    return (await this.#post(this.#roads.records, question, (status) => status === 204)) ?? false;
  }

  /** @param read  control is the same program over a private socket: the answer is taken as its type says, once its kind is known */
  async #ask<A, R>(road: ControlRoad, path: string, question: object, read: (answer: A) => R): Promise<R | Away> {
    const answer = await this.#request(road, path, question, (status, text) =>
      status === 200 ? read(JSON.parse(text) as A) : null,
    );
    return answer ?? away;
  }

  /** @returns null when there was no answer */
  #request<R>(
    road: ControlRoad,
    path: string,
    question: object,
    take: (status: number, text: string) => R,
  ): Promise<R | null> {
    return this.#post(road, { path, contentType: 'application/json', content: JSON.stringify(question) }, take);
  }

  /** @returns null when there was no answer */
  async #post<R>(
    road: ControlRoad,
    { path, contentType, content }: { readonly path: string; readonly contentType: string; readonly content: string },
    take: (status: number, text: string) => R,
  ): Promise<R | null> {
    try {
      const { statusCode, body } = await road.request({
        method: 'POST',
        path,
        headers: { 'content-type': contentType },
        body: content,
        signal: AbortSignal.timeout(questionDeadlineMs),
      });
      return take(statusCode, await body.text());
    } catch {
      // The error may quote the request; that it failed is all that matters here.
      return null;
    }
  }
}

function strangersIn(said: StrangersWait | undefined): { readonly strangers?: StrangersWait } {
  return said === undefined ? {} : { strangers: { here: Number(said.here), everywhere: Number(said.everywhere) } };
}

function readPasswordAnswer(answer: Partial<PasswordAnswer>): PasswordAnswer | Away {
  switch (answer.kind) {
    case 'refused':
      return { kind: 'refused' };
    case 'busy':
      return { kind: 'busy', retryAfterSeconds: Number(answer.retryAfterSeconds), ...strangersIn(answer.strangers) };
    case 'verified': {
      const { sub, userRecordId, userRecordVersion } = answer;
      if (typeof sub !== 'string' || typeof userRecordId !== 'string' || typeof userRecordVersion !== 'number')
        return away;
      return { kind: 'verified', sub, userRecordId, userRecordVersion };
    }
    default:
      return away;
  }
}
