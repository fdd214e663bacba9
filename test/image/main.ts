// `npm run image`: builds the Dockerfile for real, and runs what came out as its users should: no root, a read-only root file system, no
// capabilities, a volume. Needs Linux, root and Debian's buildah. Where no base image is named, debootstrap makes one, so no registry is
// needed. Takes minutes, so it is a command of its own and no part of `npm test`.
//
//   npm run image -- --base node:26-slim                       with a base image of a registry
//   npm run image -- --folder /var/tmp/image                   keeps the base that was made, for the next time

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findProgram } from '../../bench/measure/programs.ts';
import { makeBase } from './base.ts';
import { Builder } from './builder.ts';
import { imageChecks } from './checks.ts';

const { values } = parseArgs({ options: { base: { type: 'string' }, folder: { type: 'string' } } });
const begun = Date.now();

/** A line of progress, with the seconds since the start. */
function say(text: string): void {
  console.log(`${String(Math.round((Date.now() - begun) / 1000)).padStart(4)} s  ${text}`);
}

const missing = missingHere();
if (missing !== null) {
  say(`nothing is built: ${missing}`);
  console.log(`0 passed, 0 failed, ${imageChecks.length} skipped`);
} else {
  process.exitCode = await run();
}

function missingHere(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'this needs Linux and root';
  const wanted = ['buildah', 'unshare', ...(values.base === undefined ? ['debootstrap'] : [])];
  const absent = wanted.filter((name) => findProgram(name) === null);
  if (absent.length === 0) return null;
  const packages = absent.map((name) => (name === 'unshare' ? 'util-linux' : name));
  return `not installed: ${absent.join(', ')} (hint: apt-get install ${packages.join(' ')})`;
}

async function run(): Promise<number> {
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'latchkey-image-'));
  mkdirSync(folder, { recursive: true });
  const builder = new Builder(folder);
  let [passed, failed] = [0, 0];
  try {
    const base = values.base ?? (await makeBase(builder, folder, say));
    say(`building on ${base}`);
    const image = await builder.build(base);
    say(`built: ${Math.round(image.bytes / 1_000_000)} MB`);
    for (const { what, check } of imageChecks) {
      try {
        await check(image, folder);
        passed += 1;
        say(`passed  ${what}`);
      } catch (error) {
        failed += 1;
        say(`FAILED  ${what}\n${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } finally {
    await builder.close();
    if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${failed} failed, 0 skipped`);
  return failed === 0 ? 0 : 1;
}
