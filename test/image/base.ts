// Makes a base image like `node:26-slim` without a registry: a small Debian by debootstrap, from the mirror that apt asks here, with the Node.js
// and the npm of this installation.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../support/run/run-command.ts';
import type { Builder } from './builder.ts';

const name = 'localhost/latchkey-base';

/** @returns the name of the image; made anew only where the folder has none yet */
export async function makeBase(builder: Builder, folder: string, say: (text: string) => void): Promise<string> {
  const root = join(folder, 'base');
  if (!existsSync(join(root, 'home', 'node'))) {
    say('a base by debootstrap: Debian’s smallest variant');
    // libatomic1: the official Node.js is linked with it, and Debian’s smallest variant has no other program that needs it
    const packages = '--include=ca-certificates,libatomic1';
    await call('debootstrap', ['--variant=minbase', packages, codename(), root, ...(await mirror())]);
    const npm = dirname(dirname(process.env.npm_execpath ?? ''));
    if (!existsSync(join(npm, 'bin', 'npm-cli.js'))) throw new Error('start this with npm: npm run image');
    await call('cp', ['-L', process.execPath, join(root, 'usr/local/bin/node')]);
    await call('mkdir', ['-p', join(root, 'usr/local/lib/node_modules')]);
    await call('cp', ['-rL', npm, join(root, 'usr/local/lib/node_modules/npm')]);
    await call('ln', ['-sf', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm')]);
    await call('chroot', [root, 'useradd', '--uid', '1000', '--create-home', '--shell', '/bin/sh', 'node']);
  }
  say('the base as an image');
  const container = await builder.start('scratch');
  await builder.buildah('add', container, root, '/');
  await builder.buildah('commit', container, name);
  return name;
}

function codename(): string {
  return /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
}

/** The first Debian mirror that apt asks here; none leaves the choice to debootstrap. */
async function mirror(): Promise<string[]> {
  const { stdout } = await runCommand('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  return stdout
    .split('\n')
    .filter((line) => /\/debian\/?$/.test(line))
    .slice(0, 1);
}

async function call(program: string, args: string[]): Promise<void> {
  const { code, stdout, stderr } = await runCommand(program, args);
  if (code !== 0)
    throw new Error(`${program} ended with ${code}: ${`${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n')}`);
}
