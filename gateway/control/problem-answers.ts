// The answers that all servers of control share: problem+json (RFC 9457) for what is not there or went wrong.
// An error's text never reaches a client; it goes to the log.

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from '../telemetry/logger.ts';

/** Answers with `application/problem+json`. */
export function sendProblem(reply: FastifyReply, status: number, title: string): FastifyReply {
  // As bytes: a charset is added to text, and these media types have none.
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify({ type: 'about:blank', title, status })));
}

/** Unknown paths are 404, refused bodies keep their 4xx, everything else is logged and is 500. */
export function answerProblems(server: FastifyInstance, logger: Logger): void {
  server.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, 'Not Found'));
  server.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (status < 500) return sendProblem(reply, status, 'Bad Request');
    logger.error({ problem: error instanceof Error ? error.message : String(error) }, 'a handler of control failed');
    return sendProblem(reply, 500, 'Internal Server Error');
  });
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500;
}
