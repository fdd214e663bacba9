// Runs `latchkey serve` as an operator would, for tests that look at its processes from the outside.
// Real processes, real sockets, real signals; the upstream is a small server in the test's own process.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const entry = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'gateway', 'main.ts');

export interface ServeProcess {
  readonly child: ChildProcess;
  /** Parsed from the ready line. */
  readonly port: number;
  readonly operationsPort: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Log lines of the program, parsed. */
  readonly log: () => Record<string, unknown>[];
  /** Process ids by role, newest last. */
  readonly pids: (role: 'control' | 'edge') => number[];
  readonly ended: Promise<ServeEnd>;
}

interface ServeEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The outcome of a start: ready, or ended with its output. */
export type ServeStart =
  | ({ readonly kind: 'ready' } & ServeProcess)
  | ({ readonly kind: 'ended'; readonly stderr: string; readonly stdout: string } & ServeEnd);

export interface ServeRig {
  readonly folder: string;
  readonly file: string;
  readonly upstreamPort: number;
  /** Writes the configuration: two edges and one open route, with `changes` put in by name. */
  readonly configure: (changes?: ServeChanges) => void;
  readonly start: (options?: ServeOptions) => Promise<ServeStart>;
  /** `start` for tests that need it to be ready. */
  readonly startReady: () => Promise<ServeProcess>;
  readonly clear: () => Promise<void>;
}

interface ServeOptions {
  /** Beside the test's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hears each log line, also before it is ready. */
  readonly onLog?: (entry: Record<string, unknown>) => void;
}

interface ServeChanges {
  readonly listen?: string;
  readonly operations?: string;
  readonly edges?: number;
  readonly routeName?: string;
  /** Further lines of YAML. */
  readonly more?: string;
}

/** A folder, an upstream, and the way to start gateways with them. */
export async function makeServeRig(answer: RequestListener): Promise<ServeRig> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-serve-'));
  const file = join(folder, 'latchkey.yaml');
  const upstream = createServer(answer);
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const upstreamPort = portOf(upstream);
  const children: ChildProcess[] = [];
  const rig: ServeRig = {
    folder,
    file,
    upstreamPort,
    configure: (changes = {}) => replaceFile(file, configText(upstreamPort, changes)),
    start: (options = {}) => startServe(file, children, options),
    startReady: async () => {
      const started = await rig.start();
      if (started.kind === 'ended') throw new Error(`serve ended: ${started.stderr}`);
      return started;
    },
    clear: async () => {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        child.kill('SIGINT');
        await gone;
      }
      upstream.closeAllConnections();
      await new Promise((resolve) => upstream.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  rig.configure();
  return rig;
}

/** Writes a file as an editor does: a watcher sees the old file or the new file, and never half of it. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** True while a process of that id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The port of a server that listens on TCP. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function configText(upstreamPort: number, changes: ServeChanges): string {
  return `
listeners:
  - address: ${changes.listen ?? '127.0.0.1:0'}
operations:
  address: ${changes.operations ?? '127.0.0.1:0'}
data_dir: ./data
edges: ${changes.edges ?? 2}
upstreams:
  web: { servers: ["http://127.0.0.1:${upstreamPort}"] }
routes:
  - { name: ${changes.routeName ?? 'open'}, path: /, upstream: web, accept: [anyone] }
# whatever else the machine does meanwhile
limits: { max_event_loop_delay: 1d }
${changes.more ?? ''}
`;
}

function startServe(file: string, children: ChildProcess[], options: ServeOptions): Promise<ServeStart> {
  const child = spawn(process.execPath, [entry, 'serve', '--config', file, '--json-ready'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  children.push(child);
  let stdout = '';
  let stderr = '';
  let heard = 0;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    const complete = stderr.slice(heard, stderr.lastIndexOf('\n') + 1);
    heard += complete.length;
    if (options.onLog !== undefined) for (const entry of entriesOf(complete)) options.onLog(entry);
  });
  const ended = new Promise<ServeEnd>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const log = () => entriesOf(stderr);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ kind: 'ended', code, signal, stdout, stderr }));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const wasReady = stdout.includes('\n');
      stdout += text;
      if (wasReady || !stdout.includes('\n')) return;
      const line = JSON.parse(stdout.slice(0, stdout.indexOf('\n')));
      resolve({
        kind: 'ready',
        child,
        port: line.listeners[0].port,
        operationsPort: line.operations.port,
        stdout: () => stdout,
        stderr: () => stderr,
        log,
        pids: (role) =>
          log()
            .filter((entry) => entry.role === role && typeof entry.pid === 'number')
            .map((entry) => Number(entry.pid)),
        ended,
      });
    });
  });
}

function entriesOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line));
}
