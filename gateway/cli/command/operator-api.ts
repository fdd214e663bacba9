// Gives commands the operator's endpoints: over the administration socket of a gateway that runs, else in this process, on a store that the
// command holds until it ends. Both ways lead to the same endpoints (api/operator-server.ts), so a command does not notice the difference.
// A refusal of an endpoint becomes the command's error, with a hint.

import { Client } from 'undici';
import type { z } from 'zod';
import { operatorBase } from '../../api/serve/operator-base.ts';
import type { Config } from '../../config/compiled/config.ts';
import { adminSocketIn } from '../../store/files/data-folder.ts';
import { CommandError } from './command-error.ts';
import { type RefusalWords, refusalFrom } from './refusal-words.ts';

type OperatorMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The operator's endpoints, as a command calls them. */
export interface OperatorApi {
  /**
   * Calls one endpoint.
   *
   * @param path   behind `v1/`, with its query
   * @param shape  of the answer; `z.undefined()` for an endpoint that answers 204
   * @param body   sent as JSON; left out for an endpoint that takes none
   * @returns the answer, checked against the shape
   * @throws CommandError for a refusal, and when the gateway does not answer
   */
  readonly ask: <T>(method: OperatorMethod, path: string, shape: z.ZodType<T>, body?: object) => Promise<T>;
  /** Whether a gateway runs; then a change is in force on its edges when `ask` resolves. */
  readonly isRunning: boolean;
}

interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

type Send = (method: OperatorMethod, path: string, body: object | undefined) => Promise<RawAnswer>;

/** Longer than any endpoint takes: a change waits until the store has committed it and every edge has confirmed it. */
const answerMs = 30_000;
const connectMs = 3000;

/**
 * Runs `work` with the operator's endpoints.
 *
 * @param words  messages and hints for refusals, by the endpoint's reason
 * @throws CommandError when neither a gateway nor the store can be reached
 */
export async function withOperatorApi<T>(
  config: Config,
  words: RefusalWords,
  work: (api: OperatorApi) => Promise<T>,
): Promise<T> {
  const socketPath = adminSocketIn(config.dataDir);
  const client = new Client('http://localhost', {
    socketPath,
    connectTimeout: connectMs,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  });
  try {
    if (await answers(client, socketPath)) {
      return await work(makeApi(true, words, (method, path, body) => sendTo(client, socketPath, method, path, body)));
    }
  } finally {
    await client.destroy();
  }
  // imported only here: most commands find a running gateway, and need neither server nor store in this process
  const [{ createOperatorServer }, { withStore }] = await Promise.all([
    import('../../api/operator-server.ts'),
    import('./open-store-for-command.ts'),
  ]);
  return withStore(config, 'alone', async ({ context }) => {
    const server = createOperatorServer(context);
    try {
      return await work(
        makeApi(false, words, async (method, path, body) => {
          const { statusCode, body: text } = await server.inject({ method, url: path, ...(body && { payload: body }) });
          return { status: statusCode, text };
        }),
      );
    } finally {
      await server.close();
    }
  });
}

/** Whether a gateway listens on the socket. @throws CommandError for every failure but a missing or deserted socket */
async function answers(client: Client, socketPath: string): Promise<boolean> {
  try {
    const { body } = await client.request({ method: 'GET', path: '/' });
    await body.dump();
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return false;
    throw unreachable(socketPath, code);
  }
}

async function sendTo(
  client: Client,
  socketPath: string,
  method: OperatorMethod,
  path: string,
  body: object | undefined,
): Promise<RawAnswer> {
  try {
    const answer = await client.request({
      method,
      path,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  } catch (error) {
    throw unreachable(socketPath, codeOf(error));
  }
}

function unreachable(socketPath: string, code: string): CommandError {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new CommandError(`${socketPath} belongs to another user`, {
        hint: 'run the command as the user that runs latchkey serve',
      });
    default:
      return new CommandError(`the gateway behind ${socketPath} did not answer: ${code}`, {
        hint: 'it is not known whether this was done; look, then ask again',
      });
  }
}

function makeApi(isRunning: boolean, words: RefusalWords, send: Send): OperatorApi {
  return {
    isRunning,
    ask: async (method, path, shape, body) => {
      const { status, text } = await send(method, `${operatorBase}${path}`, body);
      const content: unknown = text === '' ? undefined : JSON.parse(text);
      if (status >= 400) throw refusalFrom(status, content, words);
      return shape.parse(content);
    },
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
}
