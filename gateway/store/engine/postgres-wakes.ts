// Listens for PostgreSQL's notifications on a connection of its own, and reconnects by itself when that connection breaks.
// A notification can be lost at any moment, so nothing may depend on one: it only wakes readers early, and their poll is the
// guarantee.

import pg from 'pg';
import type { EngineOptions } from '../port/engine.ts';
import { wakeChannel } from './group-commit.ts';

interface WakeOptions {
  readonly connection: pg.ClientConfig;
  readonly logger: EngineOptions['logger'];
  readonly wake: () => void;
}

const firstRetryMs = 100;
const longestRetryMs = 2_000;

/** Starts to listen. @returns a function that stops listening */
export function listenForWakes({ connection, logger, wake }: WakeOptions): () => Promise<void> {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let retryMs = firstRetryMs;
  let isEnded = false;
  let lastEnd: Promise<unknown> = Promise.resolve();

  const again = (failed: pg.Client): void => {
    // pg may report the end of one connection several times; only the first report counts.
    if (client !== failed || isEnded) return;
    client = null;
    lastEnd = failed.end().catch(() => {});
    timer = setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  };

  const connect = (): void => {
    const made = new pg.Client(connection);
    client = made;
    made.on('error', () => again(made));
    made.on('end', () => again(made));
    made.on('notification', wake);
    made
      .connect()
      .then(() => made.query(`listen ${wakeChannel}`))
      .then(() => {
        if (retryMs > firstRetryMs) logger.info('listening to the database again');
        retryMs = firstRetryMs;
        // For changes that were committed while no connection listened.
        wake();
      })
      .catch(() => again(made));
  };
  connect();
  return async () => {
    isEnded = true;
    clearTimeout(timer);
    await client?.end().catch(() => {});
    await lastEnd;
  };
}
