// What an edge asks control over `edge.sock`: one row of `questions` a path, with the shape of the question and of its answer (200).
// Shapes only, no I/O. Control parses questions and the edge parses answers, both by these rows.
// A question holds passwords and an answer tokens: neither is ever logged.

import { z } from 'zod';
import type { AccessAnswer, SessionEnded } from '../core/decision/state/access.ts';
import { logPosition } from './log.ts';
import { nodeId } from './names.ts';
import type { Shape } from './shape.ts';

/** Canonical, without port. */
const host = z.string().max(255);
const userName = z.string().max(8192);
const clientAddress = z.string().max(100);

const passwordQuestion = z.object({
  route: z.string().max(1000),
  user: userName,
  password: z.string().max(8192),
  /** Address the guess came from, for the throttle. */
  address: clientAddress,
});
export type PasswordQuestion = Shape<typeof passwordQuestion>;

/**
 * Seconds until control looks at a guess of a stranger, that is a client that never gave the right password from where it is. A
 * guess of a stranger for another name need not be asked about before.
 */
const strangersWait = z.object({
  /** For strangers from the same source. */
  here: z.number(),
  /** For strangers from anywhere. */
  everywhere: z.number(),
});
export type StrangersWait = Shape<typeof strangersWait>;

const passwordAnswer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('verified'), sub: z.string(), userRecordId: z.string(), userRecordVersion: z.number() }),
  z.object({ kind: z.literal('refused') }),
  z.object({
    kind: z.literal('busy'),
    retryAfterSeconds: z.number(),
    /** Left out when only this name has to wait. */
    strangers: strangersWait.exactOptional(),
  }),
]);
export type PasswordAnswer = Shape<typeof passwordAnswer>;

/** How many places one question asks about at most. */
export const maxPlacesPerQuestion = 64;

/** Which of these users gave the right password from this address lately: their guesses wait behind no stranger's. */
const knownQuestion = z.object({
  places: z.array(z.object({ user: userName, address: clientAddress })).max(maxPlacesPerQuestion),
});
export type KnownQuestion = Shape<typeof knownQuestion>;

/** In the order of the question. */
const knownAnswer = z.object({ known: z.array(z.boolean()) });
export type KnownAnswer = Shape<typeof knownAnswer>;

/** Whether the record that a pass was issued for still stands as it was. */
const renewPasswordQuestion = z.object({ userRecordId: nodeId, version: z.int(), sub: userName });
export type RenewPasswordQuestion = Shape<typeof renewPasswordQuestion>;

/** `gone`: removed, or its password changed. */
const renewPasswordAnswer = z.object({ kind: z.enum(['stands', 'gone']) });
export type RenewPasswordAnswer = Shape<typeof renewPasswordAnswer>;

/** Whether an account may open a path by an access list, a grant or ownership. The edge has verified the session already. */
const accessQuestion = z.object({
  account: nodeId,
  /** Control answers `ended` when it is not live any more: a pass must not outlive the session that it came from. */
  session: nodeId,
  device: nodeId,
  host,
  /** Canonical. */
  path: z.string().max(16_384),
});
export type AccessQuestion = Shape<typeof accessQuestion>;

/** The session that asks is not live any more. Says nothing about the account, whose other sessions may be. */
const sessionEnded = z.object({ kind: z.literal('ended') }) satisfies z.ZodType<SessionEnded>;

/** Longest list of subjects or nodes in an answer. */
const maxListed = 64;
const shortList = z.array(z.string().min(1)).max(maxListed);

/** See core/decision/state/access.ts. Whether an answer is about what was asked is for whoever asked to check. */
const accessAnswer = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('none'),
    position: logPosition,
    subjects: shortList,
    lost: z
      .object({
        how: z.enum(['removed', 'stopped', 'over']),
        label: z.string().max(500),
        by: z.string().max(1000),
        at: z.int(),
      })
      .exactOptional(),
    untilAt: z.int().exactOptional(),
  }),
  z.object({
    kind: z.literal('granted'),
    position: logPosition,
    subjects: shortList,
    nodes: shortList,
    grant: z.string(),
    scope: z.object({
      host: z.string(),
      path: z.string(),
      methods: shortList.nullable(),
      untilAt: z.int().nullable(),
    }),
    claims: z.object({
      sub: z.string(),
      email: z.string().exactOptional(),
      name: z.string().exactOptional(),
      groups: z.array(z.string()).exactOptional(),
    }),
  }),
  sessionEnded,
]) satisfies z.ZodType<AccessAnswer | SessionEnded>;

const renewSessionQuestion = z.object({
  account: nodeId,
  session: nodeId,
  device: nodeId,
  /** The session's audience: the host that the cookie is for. */
  host,
});
export type RenewSessionQuestion = Shape<typeof renewSessionQuestion>;

const renewSessionAnswer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('renewed'), token: z.string(), maxAgeSeconds: z.number() }),
  sessionEnded,
]);
export type RenewSessionAnswer = Shape<typeof renewSessionAnswer>;

/** The longest question that control reads. */
export const maxQuestionBytes = 128 * 1024;

/** A kind of question. */
export interface Question<Asked extends z.ZodType, Answered extends z.ZodType> {
  readonly path: string;
  readonly question: Asked;
  readonly answer: Answered;
}

/** One row a kind of question. */
export const questions = {
  password: { path: '/password', question: passwordQuestion, answer: passwordAnswer },
  known: { path: '/known', question: knownQuestion, answer: knownAnswer },
  renewPassword: { path: '/renew-password', question: renewPasswordQuestion, answer: renewPasswordAnswer },
  access: { path: '/access', question: accessQuestion, answer: accessAnswer },
  renewSession: { path: '/renew-session', question: renewSessionQuestion, answer: renewSessionAnswer },
} as const satisfies Readonly<Record<string, Question<z.ZodType, z.ZodType>>>;
