// The connections of one edge to control, apart by who can fill them. What an edge says of itself has a connection that nothing else
// uses: an edge is ended for its silence, so no stranger and no other report may stand in its way. Guesses of passwords are the one
// question that anybody can cause, and have their own; so have questions for people with a session, and reports that are only counted.

import { Client, Pool } from 'undici';
import { edgeField } from '../../wire/reports.ts';

/** Sends one request to control. */
export interface ControlRoad {
  request(options: {
    readonly method: 'POST';
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly signal?: AbortSignal;
  }): Promise<{
    readonly statusCode: number;
    readonly body: { text(): Promise<string>; dump(): Promise<void> };
  }>;
}

/** The connections, by what goes there. */
export interface ControlConnections {
  /** What the edge acts on, that it listens, its public key; one after the other. */
  readonly standing: ControlRoad;
  /** Guesses of passwords. More connections than control checks passwords at once, so that no guess waits for a connection. */
  readonly guesses: ControlRoad;
  /** Access, sessions, renewals: caused by requests with a credential of ours. */
  readonly questions: ControlRoad;
  /** Decision records and last use: no request waits for them. */
  readonly records: ControlRoad;
  readonly metrics: ControlRoad;
  close(): Promise<void>;
}

/** The name is for the Host field only; the socket decides where it goes. */
export const controlOrigin = 'http://localhost';
export const reportDeadlineMs = 2000;
export const questionDeadlineMs = 3000;
/** Guesses of strangers that an edge has on their way at once. */
export const maxGuesses = 32;
/** Beside them, guesses of users who gave the right password from the same place before. */
export const maxKnownGuesses = 8;
const maxQuestions = 16;

export function openControlConnections(socketPath: string, edgeId: string): ControlConnections {
  const shared = { socketPath, pipelining: 1, connectTimeout: reportDeadlineMs, keepAliveTimeout: 4000 } as const;
  const reports = { ...shared, bodyTimeout: reportDeadlineMs, headersTimeout: reportDeadlineMs };
  const asked = { ...shared, bodyTimeout: reportDeadlineMs, headersTimeout: questionDeadlineMs };
  // one connection: what is said of a place in the log comes in the order in which it was said
  const standing = new Client(controlOrigin, reports);
  const guesses = new Pool(controlOrigin, { ...asked, connections: maxGuesses + maxKnownGuesses });
  const questions = new Pool(controlOrigin, { ...asked, connections: maxQuestions });
  const records = new Client(controlOrigin, asked);
  const metrics = new Client(controlOrigin, reports);
  const road = (client: Client | Pool): ControlRoad => ({
    request: (options) => client.request({ ...options, headers: { ...options.headers, [edgeField]: edgeId } }),
  });
  const all = [standing, guesses, questions, records, metrics];
  return {
    standing: road(standing),
    guesses: road(guesses),
    questions: road(questions),
    records: road(records),
    metrics: road(metrics),
    close: async () => {
      await Promise.all(all.map((client) => client.destroy()));
    },
  };
}
