// One whole node: `latchkey serve` as a process with its children, that can be killed piece by piece and started again.
// Knows its processes by what the supervisor says of them, so it never ends a process that is not its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { childEnvironment } from '../run/child-environment.ts';

const main = join(import.meta.dirname, '../../../gateway/main.ts');
const startMs = 300_000;
const goneMs = 120_000;
/** Kept for the message of a test that fails. */
const maxLines = 200;

/** A process of a node. */
type NodeRole = 'supervisor' | 'control' | 'edge';

export class NodeProcess {
  readonly #file: string;
  #child: ChildProcess | null = null;
  /** By the supervisor's names for them: `control`, `edge 1`. */
  readonly #children = new Map<string, number>();
  readonly #lines: string[] = [];
  #operations: string | null = null;

  /** @param file  its configuration */
  constructor(file: string) {
    this.#file = file;
  }

  /** Resolves when everything of it listens. Whatever of it ran before must be gone. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [main, 'serve', '--config', this.#file, '--json-ready'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: childEnvironment(),
    });
    this.#child = child;
    this.#children.clear();
    createInterface({ input: child.stderr }).on('line', (line) => this.#take(child, line));
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (!line.startsWith('{"ready":true')) return;
        const { operations }: { operations: { host: string; port: number } } = JSON.parse(line);
        this.#operations = `http://${operations.host}:${operations.port}`;
        resolve();
      });
      child.once('exit', (code, signal) => reject(new Error(`serve ended with ${signal ?? code}:\n${this.said()}`)));
    });
    const late = new AbortController();
    try {
      await Promise.race([
        ready,
        pause(startMs, undefined, { signal: late.signal }).then(() => {
          throw new Error(`serve was not ready in time:\n${this.said()}`);
        }),
      ]);
    } finally {
      late.abort();
    }
  }

  /** Of the last start; a control that takes another's place listens there as well. */
  get operations(): string {
    if (this.#operations === null) throw new Error('it was never ready');
    return this.#operations;
  }

  /** Its last lines, for messages. */
  said(): string {
    return this.#lines.join('\n');
  }

  /** Ids of its processes that are known to have been started and not to have ended. */
  pids(role: NodeRole): number[] {
    if (role === 'supervisor') return this.#child?.pid === undefined ? [] : [this.#child.pid];
    return [...this.#children].filter(([name]) => name.startsWith(role)).map(([, pid]) => pid);
  }

  /** @returns whether there was such a process */
  signal(role: 'control' | 'edge', signal: NodeJS.Signals, which = 0): boolean {
    const pids = this.pids(role);
    const pid = pids[which % Math.max(1, pids.length)];
    return pid !== undefined && send(pid, signal);
  }

  /** `kill -9` of the supervisor alone; resolves once its children are gone as well, by themselves. */
  async killSupervisor(): Promise<void> {
    await this.#end('SIGKILL');
    const deadline = performance.now() + goneMs;
    for (const pid of this.#children.values()) {
      while (isRunning(pid)) {
        if (performance.now() > deadline) throw new Error(`process ${pid} outlives its supervisor`);
        await pause(5);
      }
    }
    this.#children.clear();
  }

  /** Ends it in order; harmless when it is not running. */
  async stop(): Promise<void> {
    // what was stopped by a signal has to hear the others
    for (const pid of this.#children.values()) send(pid, 'SIGCONT');
    await this.#end('SIGTERM');
  }

  /** Ends all of it at once, whatever state it is in. */
  async destroy(): Promise<void> {
    for (const pid of this.#children.values()) send(pid, 'SIGCONT');
    await this.killSupervisor();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  #take(child: ChildProcess, line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > maxLines) this.#lines.shift();
    // the last lines of one that was killed are of processes that are gone
    if (child !== this.#child || !line.startsWith('{')) return;
    const { child: name, childPid, how }: { child?: string; childPid?: number; how?: string } = JSON.parse(line);
    if (name === undefined) return;
    if (childPid !== undefined) this.#children.set(name, childPid);
    if (how !== undefined) this.#children.delete(name);
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** A process that has ended and waits for somebody to ask for its end does not run. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z';
  } catch {
    // not Linux
    return process.platform !== 'linux';
  }
}
