// An edge process: follows control's feed, runs the data plane, and drains when the supervisor says so.
// It gets its name, control's socket, the listeners and the log level by IPC, and everything else from the feed.

import { type Edge, startEdge } from '../../edge/edge.ts';
import { ControlClient, ControlUnreachable, type FirstContact } from '../../edge/live/control-client.ts';
import { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import type { StartEdge } from '../../wire/process-messages.ts';
import { listenProblem, runAsChild, tellSupervisor } from './child-process.ts';

interface RunningEdge {
  readonly edge: Edge;
  readonly client: ControlClient;
  readonly logger: Logger;
}

/** How long an edge waits for its first snapshot. A control that was killed is back within a second or two; an edge without one ends. */
const firstContact: FirstContact = { unreachableMs: 5000, deadlineMs: 10_000 };

/** Runs an edge until the supervisor orders it to drain or goes away, or the process gets SIGTERM. */
export function runEdgeProcess(): void {
  let running: Promise<RunningEdge> | null = null;
  let stopping = false;
  const stop = (deadlineMs: number | null): void => {
    if (stopping) return;
    stopping = true;
    if (running === null) process.exit(0);
    void running.then((parts) => drain(parts, deadlineMs));
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
    const snapshot = await client.connect(firstContact);
    const { config } = snapshot;
    const metrics = new EdgeMetrics(
      config.routes.map((route) => route.name),
      config.upstreams.map((upstream) => upstream.name),
    );
    client.answerCollect = () => metrics.report();
    const edge = await startEdge({ edgeId, client, snapshot, metrics, logger, listenFds: message.listenFds });
    // the edge serves already; if control misses the report, a new feed brings it again
    await client.reportReady(edge.listening).catch(() => client.resync());
    logger.info({ listening: edge.listening, pid: process.pid }, 'the edge is ready');
    await tellSupervisor({ type: 'edge-ready', listening: edge.listening });
    return { edge, client, logger };
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

/** Lets running requests finish, reports the last numbers, and exits. @param deadlineMs  null for the configured drain time */
async function drain({ edge, client, logger }: RunningEdge, deadlineMs: number | null): Promise<void> {
  await edge.drain(deadlineMs ?? undefined);
  // the last numbers are sent if control takes them; a failure must not keep the process from ending
  await client.reportMetrics().catch(() => undefined);
  await client.close();
  logger.info('the edge has drained');
  process.exit(0);
}
