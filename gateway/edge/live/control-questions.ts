// What an edge asks control, one question a request, by the rows of wire/questions.ts; its report of last use, and its decision records.
// Never throws: a question that was not answered in time and in form is `away`. It keeps no answer; caches are others' work.
// Never logs a question or an answer: they hold passwords and tokens.

import type { z } from 'zod';
import type { AccessAnswer, GrantedAccess, SessionEnded } from '../../core/decision/state/access.ts';
import { canonicalPathKeepingSlashes, covers } from '../../core/model/path.ts';
import { readClaims } from '../../core/token/claim-reader.ts';
import {
  type AccessQuestion,
  type KnownAnswer,
  type KnownQuestion,
  type PasswordAnswer,
  type PasswordQuestion,
  type Question,
  questions,
  type RenewPasswordAnswer,
  type RenewPasswordQuestion,
  type RenewSessionAnswer,
  type RenewSessionQuestion,
} from '../../wire/questions.ts';
import { decisionLines, reports, type Seen, type SeenReport } from '../../wire/reports.ts';
import type { Shape } from '../../wire/shape.ts';
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

const jsonType = 'application/json';
const away: Away = { kind: 'away' };

export class ControlQuestions implements ControlPort {
  readonly #edgeId: string;
  readonly #roads: ControlConnections;

  constructor(edgeId: string, roads: ControlConnections) {
    this.#edgeId = edgeId;
    this.#roads = roads;
  }

  askPassword(question: PasswordQuestion): Promise<PasswordAnswer | Away> {
    return this.#ask(this.#roads.guesses, questions.password, question);
  }

  /** One at a time, on the connections that few use: this question must not wait behind the guesses that it tells apart. */
  async askKnown(question: KnownQuestion): Promise<KnownAnswer | Away> {
    const answer = await this.#ask(this.#roads.questions, questions.known, question);
    return 'known' in answer && answer.known.length !== question.places.length ? away : answer;
  }

  renewPassword(question: RenewPasswordQuestion): Promise<RenewPasswordAnswer | Away> {
    return this.#ask(this.#roads.questions, questions.renewPassword, question);
  }

  async askAccess(question: AccessQuestion): Promise<AccessAnswer | SessionEnded | Away> {
    const answer = await this.#ask(this.#roads.questions, questions.access, question);
    return answer.kind === 'granted' && !isAbout(answer, question) ? away : answer;
  }

  renewSession(question: RenewSessionQuestion): Promise<RenewSessionAnswer | Away> {
    return this.#ask(this.#roads.questions, questions.renewSession, question);
  }

  async reportSeen(seen: readonly Seen[]): Promise<boolean> {
    const report: SeenReport = { edge: this.#edgeId, seen };
    const request = { path: reports.seen.path, contentType: jsonType, content: JSON.stringify(report) };
    return (await this.#post(this.#roads.records, request, (status) => status === 204)) ?? false;
  }

  /** Lines of decision records, see wire/reports.ts. @returns whether control has them */
  async reportDecisions(lines: string): Promise<boolean> {
    const { path, contentType } = decisionLines;
    const request = { path, contentType, content: lines };
    return (await this.#post(this.#roads.records, request, (status) => status === 204)) ?? false;
  }

  async #ask<Asked extends z.ZodType, Answered extends z.ZodType>(
    road: ControlRoad,
    row: Question<Asked, Answered>,
    question: Shape<Asked>,
  ): Promise<Shape<Answered> | Away> {
    const request = { path: row.path, contentType: jsonType, content: JSON.stringify(question) };
    const answer = await this.#post(road, request, (status, text) => {
      const read = status === 200 ? row.answer.safeParse(JSON.parse(text)) : null;
      // the read-only view of what zod gives
      return read?.success === true ? (read.data as Shape<Answered>) : null;
    });
    return answer ?? away;
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

/**
 * Whether an answer is about the account and the path that were asked for, and says nothing that a token could not say: it goes into
 * headers and passes, so it is held to the rules of claims.
 */
function isAbout({ claims, grant, scope }: GrantedAccess, asked: AccessQuestion): boolean {
  if (claims.sub !== asked.account || scope.host !== asked.host) return false;
  if (canonicalPathKeepingSlashes(scope.path) !== scope.path || !covers(scope.path, asked.path)) return false;
  return readClaims(JSON.stringify({ ...claims, grant, exp: 0 })).kind !== 'problem';
}
