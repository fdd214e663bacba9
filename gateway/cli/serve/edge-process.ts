// An edge process: follows control, runs the data plane, drains when told.
// It learns its name and the socket by IPC, everything else from the feed.

import { isDeepStrictEqual } from 'node:util';
import { type Edge, startEdge } from '../../edge/edge.ts';
import {
  ControlClient,
  ControlUnreachable,
  type FirstContact,
  type SnapshotMessage,
} from '../../edge/live/control-client.ts';
import { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { listenProblem, runAsChild, tellSupervisor } from './child-process.ts';
import type { StartEdge } from './process-messages.ts';

interface RunningEdge {
  readonly edge: Edge;
  readonly client: ControlClient;
  readonly logger: Logger;
  readonly drainMs: () => number;
}

/** A control that was killed is back within a second or two; an edge that has none ends, says why, and is started again later. */
const firstContact: FirstContact = { unreachableMs: 5000, deadlineMs: 10_000 };

/** Runs until the supervisor says stop or goes away. */
export function runEdgeProcess(): void {
  let running: Promise<RunningEdge> | null = null;
  let stopping = false;
  const stop = (deadlineMs: number | null): void => {
    if (stopping) return;
    stopping = true;
    if (running === null) process.exit(0);
    void running.then((parts) => drain(parts, deadlineMs ?? parts.drainMs()));
  };
  runAsChild({
    onMessage: (message) => {
      switch (message.type) {
        case 'start-edge':
          running ??= start(message);
          return;
        case 'drain':
          stop(message.deadlineMs);
          return;
        case 'reopen-logs':
          void running?.then(({ edge }) => edge.reopenLogs());
          return;
        case 'reload':
        case 'start-control':
        case 'edge-gone':
          return;
        default:
          message satisfies never;
      }
    },
    onTerminate: () => stop(null),
    onReopenLogs: () => void running?.then(({ edge }) => edge.reopenLogs()),
  });
}

async function start(message: StartEdge): Promise<RunningEdge> {
  const { edgeId } = message;
  process.title = `latchkey edge ${edgeId}`;
  const logger = createLogger({ role: 'edge', edge: edgeId, level: message.level });
  try {
    const client = new ControlClient({ socketPath: message.edgeSocket, edgeId, logger });
    let latest: SnapshotMessage = await client.connect(firstContact);
    // A reload may arrive while the edge starts; it is applied right after.
    client.onSnapshot = (next) => {
      latest = next;
    };
    // The ring itself goes with the log to whoever follows that; here it is only known what the edge has.
    client.onKeys = (keys) => {
      latest = { ...latest, keys };
    };
    client.onTicketSecret = (ticketSecret) => {
      latest = { ...latest, ticketSecret };
    };
    const { config } = latest;
    const metrics = new EdgeMetrics(
      config.routes.map((route) => route.name),
      config.upstreams.map((upstream) => upstream.name),
    );
    client.answerCollect = () => metrics.report();
    const first = latest;
    const edge = await startEdge({ edgeId, client, snapshot: first, metrics, logger, listenFds: message.listenFds });
    client.onSnapshot = (next) => {
      const isNew = !isSameState(latest, next);
      // a control that was started anew has a new one, and other edges may have it already
      if (!isNew && latest.ticketSecret !== next.ticketSecret) edge.renewTickets(next.ticketSecret);
      latest = next;
      // A control that came back sends what this edge has already; applying it would drop warm upstream connections.
      if (isNew) edge.applySnapshot(next);
    };
    client.onTicketSecret = (ticketSecret) => {
      latest = { ...latest, ticketSecret };
      edge.renewTickets(ticketSecret);
    };
    if (!isSameState(latest, first)) edge.applySnapshot(latest);
    else if (latest.ticketSecret !== first.ticketSecret) edge.renewTickets(latest.ticketSecret);
    // it serves by now, so a control that does not hear it is told again with a fresh feed
    await client.reportReady(edge.listening).catch(() => client.resync());
    logger.info({ listening: edge.listening, pid: process.pid }, 'the edge is ready');
    await tellSupervisor({ type: 'edge-ready', listening: edge.listening });
    return { edge, client, logger, drainMs: () => latest.config.limits.drainMs };
  } catch (error) {
    const problem = listenProblem(error);
    if (error instanceof ControlUnreachable) {
      const hint = `is ${message.edgeSocket} there, and control running? a data_dir that was removed needs a restart`;
      await tellSupervisor({ type: 'cannot-start', problem: `control gave no state: ${error.message}`, hint });
    } else if (problem === null) logger.fatal({ err: error }, 'the edge cannot start');
    else await tellSupervisor(problem);
    process.exit(1);
  }
}

/**
 * Everything in a snapshot but its number, the secret of the tickets, and what is revoked, which the edge takes from the
 * client itself; so that nothing new is ever left out.
 */
function isSameState(left: SnapshotMessage, right: SnapshotMessage): boolean {
  const { seq, ticketSecret, index } = left;
  return isDeepStrictEqual(left, { ...right, seq, ticketSecret, index });
}

async function drain({ edge, client, logger }: RunningEdge, deadlineMs: number): Promise<void> {
  await edge.drain(deadlineMs);
  // The last numbers are worth a moment, not a hanging stop.
  await client.reportMetrics().catch(() => undefined);
  await client.close();
  logger.info('the edge has drained');
  process.exit(0);
}
