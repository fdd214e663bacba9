// The answers that all servers of control share: problem+json (RFC 9457) for unknown paths and errors.
// An error's text never reaches a client; it goes to the log. A store that is away is the only error that has a status of its own.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemJson, problemMediaType, titleOf } from '../../http1/problem-json.ts';
import { StoreAway } from '../../store/port/store.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** `Retry-After` when the store is away. */
const storeRetrySeconds = 2;

/** Answers with `application/problem+json`. @param words  members beside the title */
export function sendProblem(
  reply: FastifyReply,
  status: number,
  title: string,
  words: { readonly detail?: string; readonly reason?: string } = {},
): FastifyReply {
  // The body is sent as bytes, since a charset would be added to text, and this media type has none.
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type(problemMediaType)
    .send(Buffer.from(problemJson({ title, status, ...words })));
}

/** Answers a problem with a page for people instead. @returns false to leave the answer to `answerProblems` */
type PageOfProblem = (
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  retryAfterSeconds: number | null,
) => boolean;

/**
 * Unknown paths are 404, refused bodies keep their 4xx, a store that is away is 503, everything else is logged and is 500.
 *
 * @param audience  only the operator is told why the store cannot be used. Default `anybody`
 */
export function answerProblems(
  server: FastifyInstance,
  logger: Logger,
  asPage: PageOfProblem = () => false,
  audience: 'anybody' | 'operator' = 'anybody',
): void {
  server.setNotFoundHandler((request, reply) => {
    if (!asPage(request, reply, 404, null)) sendProblem(reply, 404, titleOf(404));
  });
  server.setErrorHandler((error, request, reply) => {
    if (error instanceof StoreAway) {
      const { cause, words, hint } = error.failure;
      logger.warn({ cause, problem: words }, 'the store cannot be used; a request was answered 503');
      reply.header('retry-after', String(storeRetrySeconds));
      const told = audience === 'operator' ? { detail: `${error.message} (hint: ${hint})` } : {};
      if (!asPage(request, reply, 503, storeRetrySeconds)) sendProblem(reply, 503, titleOf(503), told);
      return;
    }
    const status = statusOf(error);
    if (status >= 500) logger.error({ problem: textOf(error) }, 'a handler of control failed');
    if (asPage(request, reply, status, null)) return;
    if (status >= 500) return void sendProblem(reply, 500, titleOf(500));
    sendProblem(reply, status, titleOf(status), { detail: detailOf(error) });
  });
}

/** What to tell of a request that could not be read, by Fastify's code. Its own messages are for developers, and some quote the request. */
const readingProblems: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not JSON.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The media type says JSON, and the body is empty.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The body’s media type is not taken here: send application/json.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is too long.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as Content-Length says.',
  FST_ERR_BAD_URL: 'The path cannot be read.',
};

function detailOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return readingProblems[code] ?? 'The request cannot be read.';
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500;
}
