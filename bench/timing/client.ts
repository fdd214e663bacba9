// How the benches of timing ask: one request after the other over one connection to the server's Unix socket, timed to the end of the answer.

import { randomInt } from 'node:crypto';
import { Agent, request } from 'node:http';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';

/** An answer, and the time until its end. */
interface TimedAnswer {
  readonly status: number;
  readonly ms: number;
}

interface TimingClient {
  /** @param path  behind the reserved prefix */
  readonly send: (
    method: string,
    path: string,
    body: object | null,
    headers: Readonly<Record<string, string>>,
  ) => Promise<TimedAnswer>;
  readonly close: () => void;
}

export function openClient(socketPath: string): TimingClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return { send, close: () => agent.destroy() };

  function send(
    method: string,
    path: string,
    body: object | null,
    headers: Readonly<Record<string, string>>,
  ): Promise<TimedAnswer> {
    const text = body === null ? '' : JSON.stringify(body);
    const started = monotonicMs();
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath,
          agent,
          method,
          path: `/.latchkey/${path}`,
          headers: {
            host: 'portal.localhost:8080',
            'x-forwarded-host': 'portal.localhost:8080',
            'x-forwarded-proto': 'http',
            'x-request-id': 'bench',
            'sec-fetch-site': 'same-origin',
            accept: 'application/json',
            ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        },
        (answer) => {
          answer.resume();
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, ms: monotonicMs() - started }));
          answer.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  }
}

/** The members of a list in random order. */
export function shuffled<T>(list: readonly T[]): T[] {
  const rest = [...list];
  const drawn: T[] = [];
  while (rest.length > 0) drawn.push(...rest.splice(randomInt(rest.length), 1));
  return drawn;
}
