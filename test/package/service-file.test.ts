// config/latchkey.service: what it promises of a process that holds every key, and that systemd understands it, where there is one.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../support/run/package-copy.ts';
import { runCommand } from '../support/run/run-command.ts';

const file = join(repository, 'config', 'latchkey.service');
const text = await readFile(file, 'utf8');
const systemd = await runCommand('systemd-analyze', ['--version']).catch(() => null);

test.each([
  // memory holds the keys, so it goes to no disk
  ['LimitCORE', '0'],
  ['UMask', '0077'],
  ['StateDirectoryMode', '0700'],
  ['NoNewPrivileges', 'yes'],
  ['ProtectSystem', 'strict'],
  ['PrivateTmp', 'yes'],
  ['ProtectProc', 'invisible'],
  ['CapabilityBoundingSet', 'CAP_NET_BIND_SERVICE'],
  ['SystemCallFilter', '@system-service'],
  ['RestrictAddressFamilies', 'AF_INET AF_INET6 AF_UNIX'],
  ['LimitNOFILE', '65536'],
])('says %s=%s once', (name, value) => {
  expect(text.match(new RegExp(`^${name}=.*$`, 'gm'))).toEqual([`${name}=${value}`]);
});

test.skipIf(systemd?.code !== 0)('systemd finds nothing to complain of', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-unit-'));
  try {
    // the command is not installed on the machine that tests
    const unit = join(folder, 'latchkey.service');
    await writeFile(unit, text.replaceAll('/usr/local/bin/latchkey', process.execPath));
    const verified = await runCommand('systemd-analyze', ['verify', '--man=no', unit]);
    expect([verified.code, verified.stderr]).toEqual([0, '']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the command for a container says the same of core dumps', async () => {
  for (const name of ['Dockerfile', 'gateway/cli/README.md']) {
    expect(await readFile(join(repository, name), 'utf8'), name).toMatch(/docker run --read-only .*--ulimit core=0 /);
  }
});
