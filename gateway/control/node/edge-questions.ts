// The questions that an edge asks control over edge.sock, beside its reports: passwords, access, sessions, last use.
// Checks their form and hands them on; what the answers are is decided by the functions in the options.
// Shapes: config/edge-feed.ts. What cannot be answered now is an error here, and `away` to the edge that asked.

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  type AccessAnswer,
  type AccessQuestion,
  type KnownAnswer,
  type KnownQuestion,
  maxPlacesPerQuestion,
  maxSeenPerReport,
  type PasswordAnswer,
  type PasswordQuestion,
  type RenewPasswordAnswer,
  type RenewPasswordQuestion,
  type RenewSessionAnswer,
  type RenewSessionQuestion,
  type SeenReport,
  type SessionEnded,
} from '../../config/edge-feed.ts';
import { slotOf } from './edge-roster.ts';
import { sendProblem } from './problem-answers.ts';

/** What answers. Each may reject, with `StoreAway` for one: then the edge treats the question as unanswered. */
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

/** Those that need the store; a control without one leaves them out. */
export type StoreAnswers = Pick<EdgeAnswers, 'answerAccess' | 'renewSession' | 'recordSeen' | 'recordDecisions'>;

const id = z.string().min(1).max(300);
const host = z.string().max(255);
const edge = z.string().refine((name) => slotOf(name) !== null);

const passwordQuestion = z.object({
  route: z.string().max(1000),
  user: z.string().max(8192),
  password: z.string().max(8192),
  address: z.string().max(100),
});
const knownQuestion = z.object({
  places: z.array(z.object({ user: z.string().max(8192), address: z.string().max(100) })).max(maxPlacesPerQuestion),
});
const renewPasswordQuestion = z.object({ userRecordId: id, version: z.int(), sub: z.string().max(8192) });
const accessQuestion = z.object({ account: id, session: id, device: id, host, path: z.string().max(16_384) });
const renewSessionQuestion = z.object({ account: id, session: id, device: id, host });
const seenReport = z.object({
  edge,
  seen: z.array(z.object({ session: id, device: id, member: id.nullable(), at: z.int().min(0) })).max(maxSeenPerReport),
});
const maxSeenBytes = 2 * 1024 * 1024;
const maxDecisionsBytes = 8 * 1024 * 1024;

/** Adds the endpoints to the server on edge.sock. */
export function answerEdgeQuestions(server: FastifyInstance, answers: EdgeAnswers): void {
  const endpoint = <Q>(path: string, shape: z.ZodType<Q>, answer: (question: Q) => Promise<object>): void => {
    server.post(path, async (request, reply) => {
      const body = shape.safeParse(request.body);
      if (!body.success) return sendProblem(reply, 400, 'not a question of this kind');
      return reply.header('cache-control', 'no-store').send(await answer(body.data));
    });
  };
  endpoint('/password', passwordQuestion, answers.verifyPassword);
  endpoint('/known', knownQuestion, answers.knownPlaces);
  endpoint('/renew-password', renewPasswordQuestion, answers.renewPassword);
  endpoint('/access', accessQuestion, answers.answerAccess);
  endpoint('/renew-session', renewSessionQuestion, answers.renewSession);
  server.post('/seen', { bodyLimit: maxSeenBytes }, async (request, reply) => {
    const body = seenReport.safeParse(request.body);
    if (!body.success) return sendProblem(reply, 400, 'not a report of what was seen');
    await answers.recordSeen(body.data);
    return reply.code(204).send();
  });
  server.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  server.post('/decisions', { bodyLimit: maxDecisionsBytes }, (request, reply) => {
    if (typeof request.body !== 'string' || !request.body.endsWith('\n')) {
      return sendProblem(reply, 400, 'not lines of decisions');
    }
    answers.recordDecisions(request.body);
    return reply.code(204).send();
  });
}

/** The answers of a control that has no store: there are no accounts, so nobody has access and no session lives. */
export const noStoreAnswers: StoreAnswers = {
  answerAccess: () => Promise.reject(new Error('this control has no store to ask about access')),
  renewSession: () => Promise.reject(new Error('this control has no store to ask about sessions')),
  recordSeen: () => Promise.resolve(),
  recordDecisions: () => undefined,
};
