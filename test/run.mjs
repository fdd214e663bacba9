// Runs all tests, or those whose file names contain one of the arguments, and ends with `N passed, N failed, N skipped`.
// Plain JavaScript for Node 20; the tests themselves run on the Node.js that latchkey needs. When vitest ends without
// having counted, that is a failure too: the line is never missing and never says more than what happened.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { argv, env, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { describeMissingNode, findNode } from '../gateway/runtime.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const node = findNode(import.meta.url);
if (node === undefined) {
  console.error(describeMissingNode());
  close({ passed: 0, failed: 1, skipped: [] });
}

let summary;
const child = spawn(
  node,
  [
    join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(root, 'test/support/run/closing-line-reporter.ts')}`,
    ...argv.slice(2),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      ...env,
      // Tests that start `node` by name mean the same one.
      PATH: [dirname(node), env.PATH].join(delimiter),
      // Hundreds of processes load the same sources: with their compiled form at hand control starts with 1.0 s of CPU, not 1.8.
      NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'node-compile'),
    },
  },
);
child.on('message', (message) => {
  summary = message;
});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// A terminal sends Ctrl-C to vitest as well; this process stays to print the line.
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT');
});
child.on('close', (code) => {
  const counted = summary ?? { passed: 0, failed: 1, skipped: [] };
  // vitest can fail without a failed test: no file matched, or the run was interrupted.
  close(code === 0 ? counted : { ...counted, failed: Math.max(1, counted.failed) });
});

function close({ passed, failed, skipped }) {
  if (skipped.length > 0) {
    console.log('\nskipped:');
    for (const { name, reason } of skipped) console.log(`  ${name} (${reason})`);
  }
  console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  exit(failed === 0 ? 0 : 1);
}
