// The control process: waits for its start message, runs control, and reloads the configuration on an order or when a file has changed.
// At the start the declared keys come from the supervisor by IPC; a reload reads them from their files again.

import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/compiled/config.ts';
import { readEnvironment } from '../../config/files/environment.ts';
import { loadConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problems/format.ts';
import { loadState } from '../../control/node/load-state.ts';
import type { Reloaded } from '../../control/node/state-in-force.ts';
import { FileWatch, watchedFiles } from '../../control/node/watch-files.ts';
import { lowerWorkerPriority } from '../../control/node/worker-priority.ts';
import { StoreAway } from '../../store/port/store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { StartControl } from '../../wire/process-messages.ts';
import { listenProblem, runAsChild, tellSupervisor } from './child-process.ts';
import { type ComposedControl, composeControl } from './compose-control.ts';

/** Control with what a reload needs. */
interface RunningControl {
  readonly composed: ComposedControl;
  /** The YAML file. */
  readonly file: string;
  /** The configuration in force. */
  config: Config;
  /** null where the configuration says not to watch its files. */
  watch: FileWatch | null;
}

/** Runs control until the supervisor orders it to drain or goes away. */
export function runControlProcess(): void {
  process.title = 'latchkey control';
  let control: Promise<RunningControl> | null = null;
  runAsChild({
    onMessage: (message) => {
      switch (message.type) {
        case 'start-control':
          control ??= start(message);
          return;
        case 'reload':
          void control?.then(reload);
          return;
        case 'drain':
          void (control ?? Promise.resolve(null)).then(stop);
          return;
        case 'edge-gone':
          void control?.then(({ composed }) => composed.edgeGone(message.edge));
          return;
        case 'reopen-logs':
        case 'start-edge':
          return;
        default:
          message satisfies never;
      }
    },
    // edges that drain still need control, so SIGTERM does not end it: the supervisor does, after the edges
    onTerminate: () => undefined,
    onReopenLogs: () => undefined,
  });
}

async function start(message: StartControl): Promise<RunningControl> {
  const logger = createLogger({ role: 'control', level: message.state.config.logs.level });
  await lowerWorkerPriority();
  try {
    const composed = await composeControl({
      start: message,
      reload: () => loadAgain(message.file),
      endEdge: (edge) => void tellSupervisor({ type: 'end-edge', edge }),
      logger,
    });
    if (composed.kind === 'refused') {
      await tellSupervisor({ type: 'cannot-start', problem: composed.problem, hint: composed.hint });
      process.exit(1);
    }
    const { operations } = composed.control;
    logger.info({ operations, pid: process.pid }, 'control is ready');
    await tellSupervisor({ type: 'control-ready', operations });
    const running: RunningControl = { composed, file: message.file, config: message.state.config, watch: null };
    watchAgain(running, message.filesKnown);
    tellFilesKnown(running);
    return running;
  } catch (error) {
    const problem = listenProblem(error);
    if (error instanceof StoreAway) {
      await tellSupervisor({ type: 'cannot-start', problem: error.message, hint: error.failure.hint });
    } else if (problem === null) logger.fatal({ err: error }, 'control cannot start');
    else await tellSupervisor(problem);
    process.exit(1);
  }
}

function loadAgain(file: string): Reloaded {
  const loaded = loadConfig(file, readEnvironment);
  if (loaded.kind === 'invalid') return { kind: 'refused', problems: loaded.problems.map(formatProblem) };
  const read = loadState(loaded.config);
  if (read.kind === 'refused') return { kind: 'refused', problems: [`${read.problem} (${read.hint})`] };
  return { ...read, warnings: loaded.warnings.map(formatProblem) };
}

function reload(running: RunningControl): void {
  // before the files are read, so that a change during the reading counts as a change
  running.watch?.take(watchedFiles(running.file, running.config));
  const result = running.composed.reload();
  if (result.kind === 'applied') {
    const before = [watchedFiles(running.file, running.config), running.config.reload];
    running.config = result.state.config;
    const after = [watchedFiles(running.file, running.config), running.config.reload];
    if (!isDeepStrictEqual(before, after)) watchAgain(running, null);
    void tellSupervisor({ type: 'state', state: result.state });
  }
  // after the outcome was told: if this process dies before, the next control reads the files again
  tellFilesKnown(running);
}

function watchAgain(running: RunningControl, known: string | null): void {
  running.watch?.close();
  running.watch = null;
  const { watch, intervalMs } = running.config.reload;
  if (!watch) return;
  running.watch = new FileWatch({ intervalMs, onChange: () => reload(running) });
  running.watch.take(watchedFiles(running.file, running.config), known);
}

function tellFilesKnown(running: RunningControl): void {
  void tellSupervisor({ type: 'files-known', known: running.watch?.known ?? null });
}

async function stop(running: RunningControl | null): Promise<void> {
  running?.watch?.close();
  await running?.composed.close();
  process.exit(0);
}
