// Starts the processes of a run and ends them again: its own children only, by their ids.
// Every process started here is on one list, so that an interrupted run leaves nothing behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { monotonicMs, pause } from './clock.ts';
import { type ProcessStat, readTree } from './proc-tree.ts';

/** A process of the run. */
export interface RunningProcess {
  readonly pid: number;
  /** Resolves with the next whole line of standard output; throws when the process ends first or the deadline passes. */
  readLine(deadlineMs: number): Promise<string>;
  /** Resolves with all of standard output once the process ended with code 0; else throws. Kills the process at the deadline. */
  readAll(deadlineMs: number): Promise<string>;
  /** The end of standard error, at most 2000 characters, for messages. */
  lastWords(): string;
  isRunning(): boolean;
  /** Sends SIGTERM, after 5 s SIGKILL, and then kills descendants that are still there. */
  stop(): Promise<void>;
}

interface StartOptions {
  readonly folder?: string;
  /** Standard output goes to this file instead of `readLine` and `readAll`. */
  readonly outputFile?: string;
}

const running = new Set<RunningProcess>();
let interrupted = false;

/** Starts a command, which inherits only the environment. @throws Error after `interrupt` */
export function startProcess(command: readonly string[], options: StartOptions = {}): RunningProcess {
  if (interrupted) throw new Error('the run was interrupted');
  const [program = '', ...args] = command;
  const output = options.outputFile === undefined ? 'pipe' : openSync(options.outputFile, 'a');
  const child = spawn(program, args, { cwd: options.folder, stdio: ['ignore', output, 'pipe'] });
  if (typeof output === 'number') closeSync(output);
  // messages name the program itself, and not taskset
  const handle = wrap(child, (program === 'taskset' ? command[3] : program) ?? program);
  running.add(handle);
  child.once('close', () => running.delete(handle));
  return handle;
}

/** Waits for a sign that a process is ready, and ends the process when none comes. */
export async function settle<T>(owner: RunningProcess, sign: Promise<T>): Promise<T> {
  try {
    return await sign;
  } catch (error) {
    await owner.stop();
    throw error;
  }
}

/** Ends all processes of the run. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((handle) => handle.stop()));
}

/** Ends all processes and refuses to start more, so that the code that waits for them fails and cleans up. */
export async function interrupt(): Promise<void> {
  interrupted = true;
  await stopAll();
}

/** A TCP port on loopback that was free a moment ago, for programs that cannot be given port 0. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given');
  return address.port;
}

/** Waits until something accepts connections on a port; throws when the process ends first or the deadline passes. */
export async function waitForPort(port: number, owner: RunningProcess, deadlineMs: number): Promise<void> {
  const end = monotonicMs() + deadlineMs;
  while (monotonicMs() < end) {
    if (!owner.isRunning()) throw new Error(`the process ended before port ${port} was open: ${owner.lastWords()}`);
    if (await accepts(port)) return;
    await pause(20);
  }
  throw new Error(`port ${port} was not open within ${deadlineMs} ms: ${owner.lastWords()}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function wrap(child: ChildProcess, program: string): RunningProcess {
  let output = '';
  let errors = '';
  let failure: Error | null = null;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    child.emit('bench-output');
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  child.on('error', (error) => {
    failure = error;
  });
  const isRunning = () => failure === null && child.exitCode === null && child.signalCode === null;
  const ending = (event: 'exit' | 'close') =>
    new Promise<void>((resolve) => {
      child.once(event, () => resolve());
      child.once('error', () => resolve());
    });
  // `exit` is emitted even while a descendant holds the pipes; `close` only once all output has arrived
  const exited = ending('exit');
  const closed = ending('close');
  const pid = child.pid ?? -1;

  const until = async <T>(deadlineMs: number, what: string, look: () => T | null): Promise<T> => {
    const abort = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const found = look();
      if (found !== null) return found;
      if (!isRunning()) {
        throw new Error(`${program} ended before ${what} (${failure?.message ?? `code ${child.exitCode}`}): ${errors}`);
      }
      const event = Promise.race([once(child, 'bench-output', { signal: abort }), closed]);
      await event.catch(() => {
        throw new Error(`${program}: no ${what} within ${deadlineMs} ms: ${errors}`);
      });
    }
  };

  return {
    pid,
    isRunning,
    lastWords: () => failure?.message ?? errors.trim(),
    readLine: (deadlineMs) =>
      until(deadlineMs, 'a line of output', () => {
        const end = output.indexOf('\n');
        if (end < 0) return null;
        const line = output.slice(0, end);
        output = output.slice(end + 1);
        return line;
      }),
    readAll: async (deadlineMs) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await closed;
      clearTimeout(timer);
      if (child.exitCode === 0) return output;
      const end = child.signalCode ?? failure?.message ?? `code ${child.exitCode}`;
      throw new Error(`${program} ended with ${end}: ${errors.trim() || output.slice(-500)}`);
    },
    stop: async () => {
      if (pid < 0) return;
      const tree = readTree(pid) ?? [];
      if (isRunning()) {
        child.kill('SIGTERM');
        const insist = setTimeout(() => child.kill('SIGKILL'), 5000);
        await exited;
        clearTimeout(insist);
      }
      endOrphans(tree.filter((stat) => stat.pid !== pid));
    },
  };
}

// a process that outlived its parent has a new parent by now, but still its id and its start time
function endOrphans(tree: readonly ProcessStat[]): void {
  for (const stat of tree) {
    const still = readTree(stat.pid)?.[0];
    if (still === undefined || still.startTicks !== stat.startTicks) continue;
    try {
      process.kill(stat.pid, 'SIGKILL');
    } catch {
      // the process ended meanwhile
    }
  }
}
