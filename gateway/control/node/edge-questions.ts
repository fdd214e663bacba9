// The questions that an edge asks control over edge.sock, and its reports for lists and `explain`: last use, decision records.
// Checks the form of questions and reports (wire/questions.ts, wire/reports.ts) and hands them on; the functions in the options decide the
// answers. A question that cannot be answered now is an error in this file, and `away` to the edge that asked.

import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { AccessAnswer, SessionEnded } from '../../core/decision/state/access.ts';
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
import { areWholeLines, decisionLines, reports, type SeenReport } from '../../wire/reports.ts';
import { sendProblem } from './problem-answers.ts';

/** The functions that answer. Each may reject, for example with `StoreAway`: then the edge treats the question as unanswered. */
export interface EdgeAnswers {
  readonly verifyPassword: (question: PasswordQuestion) => Promise<PasswordAnswer>;
  readonly knownPlaces: (question: KnownQuestion) => Promise<KnownAnswer>;
  readonly renewPassword: (question: RenewPasswordQuestion) => Promise<RenewPasswordAnswer>;
  readonly answerAccess: (question: AccessQuestion) => Promise<AccessAnswer | SessionEnded>;
  readonly renewSession: (question: RenewSessionQuestion) => Promise<RenewSessionAnswer>;
  readonly recordSeen: (report: SeenReport) => Promise<void>;
  /** Whole lines, each a DecisionRecord; for `explain`. */
  readonly recordDecisions: (lines: string) => void;
}

/** The questions that need the store; a control without a store leaves them out. */
export type StoreAnswers = Pick<EdgeAnswers, 'answerAccess' | 'renewSession' | 'recordSeen' | 'recordDecisions'>;

/** Adds the endpoints to the server on edge.sock. */
export function answerEdgeQuestions(server: FastifyInstance, answers: EdgeAnswers): void {
  const endpoint = <Asked extends z.ZodType, Answered extends z.ZodType>(
    { path, question }: Question<Asked, Answered>,
    answer: (question: z.infer<Asked>) => Promise<object>,
  ): void => {
    server.post(path, async (request, reply) => {
      const body = question.safeParse(request.body);
      if (!body.success) return sendProblem(reply, 400, 'not a question of this kind');
      return reply.header('cache-control', 'no-store').send(await answer(body.data));
    });
  };
  endpoint(questions.password, answers.verifyPassword);
  endpoint(questions.known, answers.knownPlaces);
  endpoint(questions.renewPassword, answers.renewPassword);
  endpoint(questions.access, answers.answerAccess);
  endpoint(questions.renewSession, answers.renewSession);
  const { seen } = reports;
  server.post(seen.path, { bodyLimit: seen.maxBytes }, async (request, reply) => {
    const body = seen.shape.safeParse(request.body);
    if (!body.success) return sendProblem(reply, 400, 'not a report of what was seen');
    await answers.recordSeen(body.data);
    return reply.code(204).send();
  });
  const { path, contentType, maxBytes } = decisionLines;
  server.addContentTypeParser(contentType, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  server.post(path, { bodyLimit: maxBytes }, (request, reply) => {
    if (!areWholeLines(request.body)) return sendProblem(reply, 400, 'not lines of decisions');
    answers.recordDecisions(request.body);
    return reply.code(204).send();
  });
}
