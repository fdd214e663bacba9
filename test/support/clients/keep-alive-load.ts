// A load of many small requests on kept connections, for tests that change something under it and want nothing to fail.
// It behaves as a browser does: an announced end of a connection is no failure, an answer that does not come is one. Only
// when this process itself stood still for longer than an idle connection is kept in a drain, it asks once more.

import { createHash } from 'node:crypto';
import { monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { RawClient, requestText } from './raw-client.ts';

// What a connection may idle in a drain: `drainIdleMs` of downstream.ts, by a clock that is up to a tick behind.
const drainIdleMs = 500 - 250;

/** What a load came to. */
interface LoadResult {
  readonly answered: number;
  /** What went wrong, in words; empty when nothing did. */
  readonly failures: readonly string[];
  /** New connections after an answer that said `Connection: close`. */
  readonly reconnects: number;
  /** Requests that were sent so late on a connection that it had ended; each was sent again. */
  readonly late: number;
}

/**
 * Sends requests on `count` connections until `stop` is called.
 *
 * @param expected  the body that every answer has to have
 */
export function startLoad(
  port: number,
  count: number,
  path: string,
  expected: string,
): { stop(): Promise<LoadResult>; answered(): number } {
  let isOver = false;
  let answered = 0;
  let reconnects = 0;
  let late = 0;
  const failures: string[] = [];
  const run = async (): Promise<void> => {
    let client: RawClient | null = null;
    let sentMs = 0;
    let pausedMs = 0;
    while (!isOver) {
      try {
        if (client === null) sentMs = monotonicMs();
        client ??= await RawClient.connect(port);
        const nowMs = monotonicMs();
        // since the request before, or since the connection was asked for: never less than the connection idled
        pausedMs = nowMs - sentMs;
        sentMs = nowMs;
        client.write(requestText('GET', path));
        const answer = await client.read();
        answered++;
        if (answer.status !== 200 || answer.text !== expected) failures.push(`${answer.status}: ${answer.text}`);
        if (answer.header('Connection') === 'close') {
          client.destroy();
          client = null;
          reconnects++;
        }
      } catch (error) {
        const hasIdled = pausedMs > drainIdleMs && client?.takeRest().length === 0;
        if (hasIdled) late++;
        else failures.push(String(error));
        client?.destroy();
        client = null;
      }
    }
    client?.destroy();
  };
  const runs = Array.from({ length: count }, run);
  return {
    answered: () => answered,
    stop: async () => {
      isOver = true;
      await Promise.all(runs);
      return { answered, failures, reconnects, late };
    },
  };
}

/** Hash of what a response's body was, read as it comes; rejects when it ends early. @returns hexadecimal SHA-256 */
export async function hashDownload(port: number, path: string): Promise<{ bytes: number; digest: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  if (response.body === null) throw new Error('an answer without a body');
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of response.body) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, digest: hash.digest('hex') };
}
