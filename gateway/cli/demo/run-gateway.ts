// Runs `latchkey serve` as a child process, and ends it together with the processes that it started.
// The child has a process group of its own, so a Ctrl-C at the terminal reaches only the demo, which sends the child one SIGTERM.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../command/command-error.ts';

interface RunningGateway {
  /** Port that the first listener is bound to. */
  readonly port: number;
  /** Settles when the gateway has ended, by itself or not, with its exit code; a signal counts as 1. */
  readonly ended: Promise<number>;
  /** Sends SIGTERM and waits until the gateway has ended; kills its process group after 15 s. */
  stop(): Promise<void>;
}

/** Longer than the gateway's own drain time of 10 s. */
const stopTimeoutMs = 15_000;

/** Starts the gateway; resolves when it serves. @throws CommandError when it ended before; its messages went to stderr */
export async function runGateway(configFile: string): Promise<RunningGateway> {
  const main = fileURLToPath(new URL(`../../main${extname(import.meta.filename)}`, import.meta.url));
  const child = spawn(process.execPath, [main, 'serve', '--config', configFile, '--json-ready'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  // the last resort, for a demo that ends by an error of its own
  const killGroup = () => signalGroup(child, 'SIGKILL');
  process.once('exit', killGroup);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      process.removeListener('exit', killGroup);
      resolve(code ?? 1);
    });
  });

  const port = await Promise.race([readReadyLine(child), ended.then(() => null)]);
  if (port === null) throw new CommandError('the gateway ended before it was ready', { hint: 'see its message above' });
  return {
    port,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(killGroup, stopTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function readReadyLine({ stdout }: ChildProcess): Promise<number | null> {
  if (stdout === null) return null;
  const lines = createInterface({ input: stdout });
  // nothing reads the later lines; they are taken off the pipe so that it never fills
  lines.on('line', () => {});
  const [line]: unknown[] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
  return typeof line === 'string' ? readPort(line) : null;
}

function readPort(line: string): number | null {
  const ready: unknown = JSON.parse(line);
  const listeners = typeof ready === 'object' && ready !== null && 'listeners' in ready ? ready.listeners : undefined;
  const first: unknown = Array.isArray(listeners) ? listeners[0] : undefined;
  const port = typeof first === 'object' && first !== null && 'port' in first ? first.port : undefined;
  return typeof port === 'number' ? port : null;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // the process group has ended already
  }
}
