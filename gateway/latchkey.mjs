#!/usr/bin/env node
// The command `latchkey`: brings gateway/main onto a Node.js that is new enough, and is otherwise not noticed.
// Plain JavaScript for Node 20. It must not interpret arguments or print anything of its own but "no such Node".
// Node refuses to strip types under node_modules, so an installed package runs dist/, the repository its sources.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describeMissingNode, findNode } from './runtime.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, 'main.ts');
const isInstalled = here.split(sep).includes('node_modules') || !existsSync(sources);
const main = isInstalled ? join(here, '..', 'dist', 'gateway', 'main.js') : sources;

const node = findNode(import.meta.url);
if (node === undefined) {
  console.error(describeMissingNode());
  process.exitCode = 1;
} else if (node === process.execPath) {
  await import(pathToFileURL(main).href);
} else {
  hand(node);
}

/**
 * Runs the main file under another Node.js and becomes its shadow: same streams, same signals, same end.
 *
 * @param {string} binary
 */
function hand(binary) {
  // until the handlers of main are there, SIGUSR1 would open a debugger to everybody on this machine
  const child = spawn(binary, ['--disable-sigusr1', ...process.execArgv, main, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });

  // A terminal sends Ctrl-C and hang-up to the whole foreground group, so the child already has them: passing them on
  // would make two of one, and a second Ctrl-C may well mean "at once".
  const fromTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']) {
    const alreadyThere = fromTerminal && (signal === 'SIGINT' || signal === 'SIGHUP');
    process.on(signal, () => {
      if (!alreadyThere) child.kill(signal);
    });
  }

  child.on('error', (error) => {
    console.error(`latchkey: cannot start ${binary}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
  });
}
