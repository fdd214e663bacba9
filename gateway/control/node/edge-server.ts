// The server on edge.sock: the feed and the reports of the edges. Trusted by file mode: the socket's folder is 0700.
// No path of it exists on public.sock or on the operations listener. Shapes: wire/feed.ts, wire/reports.ts.

import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Logger } from '../../telemetry/logger.ts';
import type { FeedMessage, SnapshotMessage } from '../../wire/feed.ts';
import type { LogBeat } from '../../wire/log.ts';
import { edgeName } from '../../wire/names.ts';
import { maxQuestionBytes } from '../../wire/questions.ts';
import { edgeField, type Report, reports } from '../../wire/reports.ts';
import type { ControlClock } from '../context/control-clock.ts';

import { EdgeFeedStream } from './edge-feed-stream.ts';
import { answerEdgeQuestions, type EdgeAnswers } from './edge-questions.ts';
import type { EdgeRoster } from './edge-roster.ts';
import type { Enforcement } from './enforcement.ts';
import { answerProblems, sendProblem } from './problem-answers.ts';

interface EdgeServerOptions {
  readonly roster: EdgeRoster;
  readonly clock: ControlClock;
  readonly logger: Logger;
  /** The present state, which is sent first on each feed. */
  readonly snapshot: () => SnapshotMessage;
  /** Number of the present state. */
  readonly seq: () => number;
  readonly answers: EdgeAnswers;
  /** How fresh the state of the change log is that the edges were sent. */
  readonly logBeat: () => LogBeat | null;
  readonly enforcement: Enforcement;
  /** Time between heartbeats. Default 1000. */
  readonly heartbeatMs?: number;
}

interface EdgeServer {
  readonly server: FastifyInstance;
  /** Sends the present snapshot to all edges. */
  readonly broadcastSnapshot: () => void;
  /** Sends a heartbeat to all edges that have read everything. */
  readonly beat: () => void;
  /** Sends a message to all edges. */
  readonly broadcast: (message: FeedMessage) => void;
  /** Asks all connected edges for their metrics; resolves when all answered or after `deadlineMs`. */
  readonly collect: (deadlineMs: number) => Promise<void>;
  /** Ends all feeds and the timer. */
  readonly close: () => Promise<void>;
}

/** A collection that still waits for edges. */
interface Collection {
  readonly waiting: Set<string>;
  readonly done: () => void;
}

/** Builds the server; the caller makes it listen. */
export function createEdgeServer(options: EdgeServerOptions): EdgeServer {
  const { roster, clock, logger, enforcement } = options;
  const server = Fastify({ logger: false, bodyLimit: maxQuestionBytes, exposeHeadRoutes: false });
  const feeds = new Map<string, EdgeFeedStream>();
  const collections = new Map<number, Collection>();
  let lastCollection = 0;
  answerProblems(server, logger);
  // An edge that asks and reports is alive, even when it is late with a confirmation.
  server.addHook('onRequest', (request, _reply, done) => {
    const from = request.headers[edgeField];
    if (typeof from === 'string') enforcement.heard(from);
    done();
  });

  const settle = (edge: string, only?: number): void => {
    for (const [id, collection] of collections) {
      if ((only === undefined || only === id) && collection.waiting.delete(edge) && collection.waiting.size === 0) {
        collection.done();
      }
    }
  };

  const heartbeat = setInterval(() => {
    for (const feed of feeds.values()) {
      if (feed.beat(options.seq(), options.logBeat())) continue;
      logger.warn({ edge: feed.edge }, 'an edge does not read its feed and was cut off');
    }
  }, options.heartbeatMs ?? 1000);

  server.get('/feed', (request, reply) => {
    const query = z.object({ edge: edgeName }).safeParse(request.query);
    if (!query.success) return sendProblem(reply, 400, 'edge: not the name of an edge');
    const { edge } = query.data;
    reply.hijack();
    const feed = new EdgeFeedStream(edge, reply.raw);
    const previous = feeds.get(edge);
    feeds.set(edge, feed);
    previous?.cut();
    roster.connect(edge);
    enforcement.joined(edge);
    reply.raw.on('error', () => feed.cut());
    reply.raw.on('close', () => {
      // When a newer feed of the same edge replaced this feed, the end of this feed must not end the newer feed's state.
      if (feeds.get(edge) !== feed) return;
      feeds.delete(edge);
      roster.disconnect(edge);
      settle(edge);
      enforcement.left(edge);
      logger.info({ edge }, 'an edge left');
    });
    feed.send(options.snapshot());
    logger.info({ edge }, 'an edge joined');
  });

  /** Takes a report when it has the right form and comes from a connected edge. */
  const take = <Schema extends z.ZodType<{ readonly edge: string }>>(
    { path, shape, maxBytes }: Report<Schema>,
    refusal: string,
    use: (report: z.infer<Schema>) => 'taken' | { readonly conflict: string },
  ): void => {
    server.post(path, { bodyLimit: maxBytes }, (request, reply) => {
      const report = shape.safeParse(request.body);
      if (!report.success || !roster.knows(report.data.edge)) return sendProblem(reply, 400, refusal);
      const outcome = use(report.data);
      return outcome === 'taken' ? reply.code(204).send() : sendProblem(reply, 409, outcome.conflict);
    });
  };
  take(reports.assertionKey, 'not a key of a connected edge', ({ edge, jwk }) =>
    roster.keys.add(edge, jwk, clock.monotonicMs()) ? 'taken' : { conflict: 'the key id is taken or the list is full' },
  );
  take(reports.ready, 'not a report of a connected edge', ({ edge }) => {
    roster.markReady(edge);
    return 'taken';
  });
  take(reports.applied, 'not a report of a connected edge', (report) => {
    if (report.isEnding === true) enforcement.refuses(report.edge, report);
    else enforcement.applied(report.edge, report);
    return 'taken';
  });
  take(reports.metrics, 'not a metrics report of a connected edge', ({ edge, id, metrics }) => {
    roster.updateMetrics(edge, metrics);
    settle(edge, id);
    return 'taken';
  });

  answerEdgeQuestions(server, options.answers);

  return {
    server,
    broadcastSnapshot: () => {
      const snapshot = options.snapshot();
      for (const feed of feeds.values()) feed.send(snapshot);
    },
    beat: () => {
      for (const feed of feeds.values()) feed.beatIfIdle(options.seq(), options.logBeat());
    },
    broadcast: (message) => {
      for (const feed of feeds.values()) feed.send(message);
    },
    collect: (deadlineMs) => {
      if (feeds.size === 0) return Promise.resolve();
      lastCollection += 1;
      const id = lastCollection;
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          collections.delete(id);
          resolve();
        };
        const timer = setTimeout(done, deadlineMs);
        collections.set(id, { waiting: new Set(feeds.keys()), done });
        for (const feed of feeds.values()) feed.send({ kind: 'collect', id });
      });
    },
    close: async () => {
      clearInterval(heartbeat);
      for (const feed of feeds.values()) feed.cut();
      await server.close();
    },
  };
}
