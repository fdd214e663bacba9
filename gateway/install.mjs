// Installs what package-lock.json names and node_modules lacks, so that `npm start` and `npm test` need no step before.
// Plain JavaScript for Node 20, no dependencies; a complete installation costs three reads of JSON. Two runs at once are made one
// after the other by a lock folder. package-lock.json is never changed, and npm compares every package with its digest in there.
// `node gateway/install.mjs production` is content with what latchkey runs on; without the word everything is installed, with the
// browser and the database of the tests. No script of any package runs: none that is named in the lock file needs one.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import { argv, env, exit, hrtime, kill, pid } from 'node:process';
import { fileURLToPath } from 'node:url';
import { describeMissingNode, findNode } from './runtime.mjs';

const waitMs = 10 * 60_000;
const pollMs = 100;
/** A lock folder this old without an owner inside was left by a run that died between two system calls. */
const ownerlessMs = 10_000;

if (argv[1] !== undefined && resolve(argv[1]) === fileURLToPath(import.meta.url)) {
  exit(
    install(
      resolve(dirname(fileURLToPath(import.meta.url)), '..'),
      argv[2] === 'production' ? 'production' : 'everything',
    ),
  );
}

/**
 * Brings node_modules to what the lock file says.
 *
 * @param {string} root  folder of package.json
 * @param {'production' | 'everything'} wanted  what has to be there; nothing is ever taken away to have less
 * @returns {number}  exit code
 * @testing
 */
export function install(root, wanted) {
  if (findMismatch(root, wanted) !== undefined) {
    const release = acquireLock(join(root, '.install.lock'));
    if (release === undefined) {
      console.error(
        `latchkey: another installation holds .install.lock for over ${waitMs / 60_000} minutes ` +
          '(hint: remove that folder if none is running)',
      );
      return 1;
    }
    try {
      // Asked again: whoever held the lock before us has most likely done the work.
      const mismatch = findMismatch(root, wanted);
      if (mismatch !== undefined) {
        const code = runNpm(root, mismatch, npmWords(root, wanted));
        if (code !== 0) return code;
      }
    } finally {
      release();
    }
  }
  if (findNode(join(root, 'package.json')) === undefined) {
    console.error(describeMissingNode());
    return 1;
  }
  return 0;
}

/**
 * Says what differs first between the lock file and what is installed.
 *
 * @param {string} root
 * @param {'production' | 'everything'} wanted
 * @returns {string | undefined}  in words, for the printed line; undefined when nothing differs
 * @testing
 */
export function findMismatch(root, wanted) {
  const locked = readPackages(join(root, 'package-lock.json'));
  if (locked === undefined)
    throw new Error('latchkey: package-lock.json cannot be read (hint: take it from the repository)');
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'node_modules is missing';
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '' || entry.link === true) continue;
    if (wanted === 'production' && isForDevelopment(entry)) continue;
    const present = installed[path];
    // npm leaves out optional packages that are for another platform. The one we cannot do without is checked by itself.
    if (present === undefined && (entry.optional === true || entry.devOptional === true)) continue;
    if (present?.version !== entry.version) return `${path} is ${present?.version ?? 'missing'}, not ${entry.version}`;
    // the same version with other bytes: one of the two was replaced
    if (present.integrity !== entry.integrity) return `${path} was installed from other bytes than the lock file names`;
  }
  if (!existsSync(join(root, 'node_modules', '.bin'))) return 'node_modules/.bin is missing';
  if (findNode(join(root, 'package.json')) === undefined) return 'node.js is too old and its package is missing';
  return undefined;
}

function isForDevelopment(entry) {
  return entry.dev === true || entry.devOptional === true;
}

/**
 * Which of npm's commands brings node_modules to what is wanted. `npm ci` begins by deleting node_modules, under the feet of a demo that
 * may be running. So `npm test` after `npm start` adds what is missing, from the same lock file and compared with the same digests.
 */
function npmWords(root, wanted) {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json')) ?? {};
  const isAddition = wanted === 'everything' && findMismatch(root, 'production') === undefined && isLockInStep(root);
  if (isAddition) return ['install', '--no-save'];
  // whoever had the tests' packages keeps them
  const isWhole = wanted === 'everything' || Object.values(installed).some(isForDevelopment);
  return isWhole ? ['ci'] : ['ci', '--omit=dev'];
}

/** Whether the lock file was made for this package.json: `npm ci` refuses others, and `npm install` would look for versions itself. */
function isLockInStep(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const locked = readPackages(join(root, 'package-lock.json'))?.[''] ?? {};
  return ['dependencies', 'devDependencies', 'optionalDependencies'].every(
    (field) => JSON.stringify(sorted(manifest[field])) === JSON.stringify(sorted(locked[field])),
  );
}

function sorted(ranges = {}) {
  return Object.entries(ranges).sort(([one], [other]) => (one < other ? -1 : 1));
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function runNpm(root, why, words) {
  const command = `npm ${words.join(' ')}`;
  console.log(`latchkey: installing dependencies with ${command} (${why})`);
  const begun = hrtime.bigint();
  const { status, error } = spawnSync(
    'npm',
    [...words, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      // What npm prints of its own is of interest only when it fails, and then it goes to standard error.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...env, PATH: withoutOwnBin(root, env.PATH ?? '') },
    },
  );
  const seconds = Number((hrtime.bigint() - begun) / 1_000_000n) / 1000;
  if (error !== undefined || status !== 0) {
    console.error(
      `latchkey: ${command} failed after ${seconds.toFixed(1)} s${error === undefined ? '' : `: ${error.message}`} ` +
        '(hint: see the message above; the registry must be reachable for the first start)',
    );
    return status === null || status === 0 ? 1 : status;
  }
  console.log(`latchkey: installed in ${seconds.toFixed(1)} s`);
  return 0;
}

/** npm replaces node_modules, so it must not itself run on the Node.js in there. */
function withoutOwnBin(root, path) {
  const own = join(root, 'node_modules') + sep;
  return path
    .split(delimiter)
    .filter((folder) => !`${folder}${sep}`.startsWith(own))
    .join(delimiter);
}

/** Making a folder is atomic on every file system; the process id inside tells a later run whether its maker lives. */
function acquireLock(folder) {
  for (let waitedMs = 0; waitedMs <= waitMs; waitedMs += pollMs) {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'pid'), String(pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(folder)) {
      // Renaming picks one winner among several that see the same abandoned lock.
      const aside = `${folder}.${pid}`;
      try {
        renameSync(folder, aside);
        rmSync(aside, { recursive: true, force: true });
      } catch {
        // Another run was first.
      }
      continue;
    }
    if (waitedMs === 0) console.log('latchkey: waiting for another installation to end');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pollMs);
  }
  return undefined;
}

function isAbandoned(folder) {
  try {
    const owner = Number.parseInt(readFileSync(join(folder, 'pid'), 'utf8'), 10);
    if (Number.isInteger(owner)) return !isAlive(owner);
  } catch {
    // No owner written yet, or the folder has just gone; its age decides.
  }
  try {
    return Date.now() - statSync(folder).mtimeMs > ownerlessMs;
  } catch {
    return false;
  }
}

function isAlive(processId) {
  try {
    kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
