// Writes distinct bearer tokens into a file, one a line, in batches: a million tokens together would be too long for a string.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { Workload } from './requests.ts';
import { makeBearer } from './tokens.ts';

const batch = 10_000;

/** Writes the file. @param count  number of tokens; each has a user of its own */
export function writeTokens(file: string, workload: Workload, count: number): void {
  const output = openSync(file, 'w', 0o600);
  try {
    for (let from = 0; from < count; from += batch) {
      const users = Array.from({ length: Math.min(batch, count - from) }, (_, at) => from + at);
      writeSync(output, users.map((user) => `${makeBearer(user, workload.secret, workload.expires)}\n`).join(''));
    }
  } finally {
    closeSync(output);
  }
}
