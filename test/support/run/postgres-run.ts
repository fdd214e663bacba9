// One folder for each run of vitest, in which the first test that needs PostgreSQL starts one for all test files.
// Nothing is started here: a run without such tests pays nothing. What was started ends with the run.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removePostgres } from '../store/postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** See shared-postgres.ts. */
    postgresRun: { readonly folder: string; readonly ownerPid: number };
  }
}

export default function setUp(project: TestProject): () => Promise<void> {
  // The first test that needs the folder makes it.
  const folder = join(tmpdir(), `latchkey-run-${randomBytes(8).toString('hex')}`);
  project.provide('postgresRun', { folder, ownerPid: process.pid });
  return async () => {
    const file = join(folder, 'server.json');
    if (existsSync(file)) {
      const server = JSON.parse(readFileSync(file, 'utf8')) as { readonly pid: number; readonly folder: string };
      await removePostgres(server);
    }
    rmSync(folder, { recursive: true, force: true });
  };
}
