// The connections of one edge to control, apart by who can fill them. What an edge has to say of itself has one that nothing else
// uses: an edge is ended for its silence, so no stranger and no report may stand in its way. Guesses of passwords are the one
// question that anybody can cause; what is asked for people with a session, and what is only counted, have theirs.

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

/** By what goes there. */
export interface ControlConnections {
  /** What the edge acts on, that it listens, its public key; one after the other. */
  readonly standing: ControlRoad;
  /** Passwords that strangers guess. More at once than control looks at, so that nobody is refused a turn for want of one. */
  readonly guesses: ControlRoad;
  /** Access, sessions, renewals: asked by who holds a credential of ours. */
  readonly questions: ControlRoad;
  /** Decision records and last use: whatever waits there waits for nobody. */
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
/** Beside them, those of people who are known where they are. */
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
