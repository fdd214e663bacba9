// The PostgreSQL that all test files of one run share, each test with a database of its own.
// The first test file that needs the server starts it; a lock folder makes the others wait. postgres-run.ts ends it.

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inject } from 'vitest';
import { createDatabase, makeDataFolder, type PostgresServer, startPostgres } from './postgres.ts';

const waitMs = 60_000;

/** URL of a new, empty database. */
export async function makeSharedDatabase(): Promise<string> {
  return createDatabase(await sharedPostgres(), newName());
}

/** URL of a new database that `prepare` was done to; it is done once, the others are copies. */
export async function copySharedDatabase(name: string, prepare: (url: string) => Promise<void>): Promise<string> {
  const server = await sharedPostgres();
  const { folder } = inject('postgresRun');
  const known = join(folder, `${name}.json`);
  await once(known, join(folder, `${name}.lock`), async () => {
    await prepare(await createDatabase(server, name));
    publish(known, '{}');
  });
  return createDatabase(server, newName(), name);
}

function newName(): string {
  return `t_${randomBytes(6).toString('hex')}`;
}

/** The server; not to be killed, others use it. */
async function sharedPostgres(): Promise<PostgresServer> {
  const { folder, ownerPid } = inject('postgresRun');
  const template = await postgresTemplate();
  const known = join(folder, 'server.json');
  await once(known, join(folder, 'server.lock'), async () => {
    const home = join(folder, 'server');
    mkdirSync(home, { recursive: true });
    const server = await startPostgres({ template, folder: home, ownerPid, ownerFolder: folder });
    publish(known, JSON.stringify(server));
  });
  return JSON.parse(readFileSync(known, 'utf8')) as PostgresServer;
}

/** A data folder to start servers of one's own from: a copy takes a tenth of the time. */
export async function postgresTemplate(): Promise<string> {
  const { folder } = inject('postgresRun');
  mkdirSync(folder, { recursive: true });
  // The server's user has to pass through it.
  chmodSync(folder, 0o755);
  const known = join(folder, 'template.json');
  await once(known, join(folder, 'template.lock'), async () => {
    makeDataFolder(join(folder, 'template'));
    publish(known, '{}');
  });
  return join(folder, 'template');
}

/** Does the work unless `result` is there; of several at once one does it. */
async function once(result: string, lock: string, work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!existsSync(result)) {
    try {
      mkdirSync(lock);
    } catch {
      if (performance.now() > deadline) throw new Error(`another test file holds ${lock} for too long`);
      await wait(20);
      continue;
    }
    // The lock stays when this fails: others run into their deadline with this test's failure beside theirs.
    await work();
  }
}

function publish(file: string, content: string): void {
  writeFileSync(`${file}.tmp`, content);
  renameSync(`${file}.tmp`, file);
}
