// What processes of the gateway that tests start see of the environment: nothing of the caller's own, so that no setting of a
// machine changes an outcome, but for where compiled sources are kept. With those at hand a process starts in half the time.

import { join } from 'node:path';
import { env } from 'node:process';

/** Where run.mjs keeps them too; also for commands that run without it. */
const compileCache = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'node-compile');

/** @param more  variables that a test is about */
export function childEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: '', NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? compileCache, ...more };
}
