// A load of many small requests on kept connections, for tests that change something under it and want nothing to fail.
// It behaves as a browser does: an announced end of a connection is no failure, an answer that does not come is one.

import { createHash } from 'node:crypto';
import { RawClient, requestText } from './raw-client.ts';

/** What a load came to. */
export interface LoadResult {
  readonly answered: number;
  /** What went wrong, in words; empty when nothing did. */
  readonly failures: readonly string[];
  /** New connections after an answer that said `Connection: close`. */
  readonly reconnects: number;
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
  const failures: string[] = [];
  const run = async (): Promise<void> => {
    let client: RawClient | null = null;
    while (!isOver) {
      try {
        client ??= await RawClient.connect(port);
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
        failures.push(String(error));
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
      return { answered, failures, reconnects };
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
