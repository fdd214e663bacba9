// Starts the gateway of the siege: `latchkey serve` as an operator runs it, with a site behind it. Reads what it reports about its edges,
// and has the clients that are not part of a flood.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecure } from 'node:tls';
import { addUser } from '../../gateway/store/files/users.ts';
import { TestAuthority } from '../../test/support/rigs/certificates.ts';

interface SiegeGateway {
  readonly plainPort: number;
  readonly securePort: number;
  readonly dataDir: string;
  /** Number of processes that ended and were started again since the start, by the gateway's log. */
  readonly edgesLost: () => number;
  /** Reads the gateway's metrics: values by name and labels. */
  readonly scrape: () => Promise<ReadonlyMap<string, number>>;
  /** All of the gateway's log so far. */
  readonly said: () => string;
  /** CPU time of all living processes of the gateway; null without /proc. */
  readonly cpuSeconds: () => number | null;
  readonly stop: () => Promise<void>;
}

interface SiegeOptions {
  readonly folder: string;
  readonly secret: string;
  readonly sitePort: number;
  readonly edges: number;
  /** Entry file of the gateway: of this checkout, or of another one to compare with. */
  readonly entry: string;
}

/** Writes the configuration and starts the gateway; resolves when it is ready. @throws Error with its log when it ends before */
export async function startSiegeGateway(options: SiegeOptions): Promise<SiegeGateway> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { cert, key } = new TestAuthority().issue({ names: ['siege.test'] });
  const files = { 'key.txt': options.secret, 'tls.pem': cert, 'tls.key': key };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  await addUser(join(folder, 'users'), 'anna', 'a long pass phrase');
  const file = join(folder, 'latchkey.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      listeners: [
        { address: '127.0.0.1:0' },
        { address: '127.0.0.1:0', tls: { certificates: [{ cert_file: './tls.pem', key_file: './tls.key' }] } },
      ],
      operations: { address: '127.0.0.1:0' },
      data_dir: './data',
      edges: options.edges,
      users_file: './users',
      common_keys: [{ id: 'k1', secret_file: './key.txt', state: 'signing' }],
      upstreams: { site: { servers: [`http://127.0.0.1:${options.sitePort}`] } },
      routes: [{ name: 'all', path: '/', upstream: 'site', accept: ['token', 'password'] }],
      logs: { level: 'info', access: 'off', decisions: 'off' },
    }),
  );
  const child = spawn(process.execPath, [options.entry, 'serve', '--config', file, '--json-ready'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ready = await readyLine(child, () => said);
  return {
    plainPort: ready.listeners[0]?.port ?? 0,
    securePort: ready.listeners[1]?.port ?? 0,
    dataDir: join(folder, 'data'),
    edgesLost: () => said.split('\n').filter((line) => line.includes('a process ended and is started again')).length,
    scrape: () => scrape(ready.operations.port),
    said: () => said,
    cpuSeconds: () => cpuSecondsOf(child.pid ?? 0),
    stop: () => stop(child),
  };
}

// clock ticks a second in /proc, on every Linux that Node.js runs on
const ticksPerSecond = 100;

/** CPU time of a process and of all its living descendants; null when /proc does not have it. */
function cpuSecondsOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the fields behind the process's name, which may itself hold spaces and brackets
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    const started = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return started.filter((each) => each !== '').reduce((sum, each) => sum + (cpuSecondsOf(Number(each)) ?? 0), own);
  } catch {
    return null;
  }
}

interface ReadyLine {
  readonly listeners: readonly { readonly port: number }[];
  readonly operations: { readonly port: number };
}

function readyLine(child: ChildProcess, said: () => string): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${said()}`)));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const line = printed.split('\n').find((each) => each.startsWith('{"ready":true'));
      if (line !== undefined) resolve(JSON.parse(line) as ReadyLine);
    });
  });
}

async function scrape(port: number): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (!line.startsWith('#') && space > 0) found.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return found;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGINT'), 5000);
  await gone;
  clearTimeout(timer);
}

/** Records the first bytes of a TLS client: its ClientHello. */
export function recordHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
      connectSecure({ port, host: '127.0.0.1', servername: 'siege.test' }).on('error', () => undefined);
    });
  });
}

/** @returns the status of one request on a connection of its own, 0 when there was none */
export function askOnce(port: number, token: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(0));
    socket.once('data', (bytes: Buffer) => {
      resolve(Number(bytes.toString('latin1', 9, 12)));
      socket.destroy();
    });
    socket.write(`GET /x HTTP/1.1\r\nHost: siege.test\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`);
  });
}
