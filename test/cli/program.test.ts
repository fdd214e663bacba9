// The command line from the outside: its outputs and exit codes. Each command runs as a process at least once.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigFolder, minimalYaml } from '../support/rigs/config-folder.ts';
import { runHere } from '../support/run/run-here.ts';
import { runLatchkey } from '../support/run/run-latchkey.ts';

let folder: ConfigFolder;

beforeEach(() => {
  folder = new ConfigFolder();
});

afterEach(() => {
  folder.remove();
});

describe('the command line', () => {
  test('help goes to stdout, lists every command, and exits 0', async () => {
    const { code, stdout, stderr } = await runLatchkey(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of [
      'serve',
      'demo',
      'check',
      'token',
      'url',
      'common-key',
      'user',
      'account',
      'link',
      'store',
      'explain',
    ])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(stdout).toContain('Examples:');
  });

  test('the version is the package version', async () => {
    const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(manifest).toMatchObject({ version: (await runHere(['--version'])).stdout.trim() });
  });

  test.each([
    [['chek'], 'Did you mean check?'],
    [['token', 'mnt'], 'Did you mean mint?'],
    [['token', 'mint'], "required option '--config <file>' not specified"],
    [['check', '--jsn'], 'Did you mean --json?'],
    [['check'], 'no file named'],
    [[], 'Usage: latchkey'],
    [['token'], 'Usage: latchkey token'],
  ])('%j exits 2 with a hint on stderr', async (args, part) => {
    const { code, stdout, stderr } = await runHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(part);
  });

  test('a wrong command line ends the process with 2', async () => {
    const { code, stdout, stderr } = await runLatchkey(['token', 'mnt']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Did you mean mint?');
  });

  test('output to a pipe has no colours', async () => {
    writeFileSync(folder.file('latchkey.yaml'), minimalYaml);
    const { stdout } = await runLatchkey(['check', folder.file('latchkey.yaml')]);
    expect(stdout).toBe(`${folder.file('latchkey.yaml')} is valid (1 listener, 1 upstream, 1 route)\n`);
  });
});

describe('check', () => {
  const eightProblems = `
listeners: [{ address: 127.0.0.1 }]
colour: blue
users_file: ./nobody
upstreams: { web: { servers: ["http://127.0.0.1:9000/x"] } }
routes:
  - { name: a, path: /, upstream: wbe, accept: [tokn] }
  - { name: a, path: b, upstream: web, accept: [token] }
`;

  test('reports all eight problems of a file and exits 1', async () => {
    writeFileSync(folder.file('bad.yaml'), eightProblems);
    const { code, stdout, stderr } = await runLatchkey(['check', 'bad.yaml'], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toBe('error: bad.yaml has 8 problems\n');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(': ')[0]),
    ).toEqual([
      'colour',
      'listeners[0].address',
      'upstreams.web.servers[0]',
      'routes[0].accept[0]',
      'routes[1].path',
      'routes[0].upstream',
      'routes[1].name',
      'users_file',
    ]);
    expect(stdout).toContain('routes[0].accept[0]: unknown kind "tokn" (did you mean "token"?)\n');
  });

  test('--json prints the same problems as JSON', async () => {
    writeFileSync(folder.file('bad.yaml'), eightProblems);
    const { code, stdout } = await runHere(['check', '--json', folder.file('bad.yaml')]);
    const report: unknown = JSON.parse(stdout);
    expect(code).toBe(1);
    expect(report).toMatchObject({ holds: false, warnings: [], problems: { length: 8 } });
  });

  test('a users file with a bad line is a problem as well', async () => {
    writeFileSync(folder.file('users'), 'anna:secret\n');
    writeFileSync(folder.file('latchkey.yaml'), `${minimalYaml}\nusers_file: users`);
    const { code, stdout } = await runHere(['check', folder.file('latchkey.yaml')]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^users_file: .*line 1: /);
  });

  test('warnings do not change the exit code', async () => {
    writeFileSync(folder.file('open.yaml'), minimalYaml.replace('127.0.0.1:0', '0.0.0.0:8080'));
    const { code, stderr } = await runHere(['check', folder.file('open.yaml')]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: listeners\[0\]\.address: /);
  });

  test('--schema prints the schema of the file in config/', async () => {
    const schema = readFileSync(new URL('../../config/latchkey.schema.json', import.meta.url), 'utf8');
    expect((await runHere(['check', '--schema'])).stdout).toBe(schema);
  });
});

describe('common-key', () => {
  test('generate prints a new secret for a key file each time', async () => {
    const first = await runHere(['common-key', 'generate']);
    const second = await runHere(['common-key', 'generate']);
    expect(first.stdout).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    expect(second.stdout).not.toBe(first.stdout);
  });

  test('generate --out makes a file that only its owner may read, and never replaces a file', async () => {
    const file = folder.file('new.secret');
    expect(await runHere(['common-key', 'generate', '--out', file])).toEqual({
      code: 0,
      stdout: `wrote ${file}\n`,
      stderr: '',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    const again = await runHere(['common-key', 'generate', '--out', file]);
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('exists already') });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('list names the keys and never a secret', async () => {
    writeFileSync(
      folder.file('latchkey.yaml'),
      `${minimalYaml}\ncommon_keys: [{ id: k1, secret_file: k1.secret, state: signing }]`,
    );
    const args = ['common-key', 'list', '--config', folder.file('latchkey.yaml')];
    const { stdout } = await runLatchkey(args);
    expect(stdout).toContain('k1  signing  HS256');
    const json = await runHere([...args, '--json']);
    expect(JSON.parse(json.stdout)).toEqual([
      { id: 'k1', state: 'signing', algorithm: 'HS256', purpose: 'content', owner: folder.file('k1.secret') },
    ]);
    expect(stdout + json.stdout).not.toContain('kkkk');
  });

  test('list before the first run says that there is no key yet', async () => {
    writeFileSync(folder.file('latchkey.yaml'), minimalYaml);
    const { code, stderr } = await runHere(['common-key', 'list', '--config', folder.file('latchkey.yaml')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: the store .*latchkey\.db does not exist\nhint: /);
  });
});

describe('user', () => {
  test('add, list, change and remove work by file and by configuration', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'latchkey-user-')), 'users');
    const added = await runLatchkey(['user', 'add', 'anna', '--password-stdin', '--file', file], {
      stdin: 'correct horse\n',
    });
    expect(added).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^added anna \(credential c_\w+, version 1\)\n$/),
    });
    expect(readFileSync(file, 'utf8')).not.toContain('correct horse');
    writeFileSync(folder.file('latchkey.yaml'), `${minimalYaml}\nusers_file: ${file}`);
    const where = ['--config', folder.file('latchkey.yaml')];
    const changed = await runHere(['user', 'add', 'anna', '--password-stdin', '--json', ...where], {
      stdin: 'another',
    });
    expect(JSON.parse(changed.stdout)).toMatchObject({ kind: 'changed', name: 'anna', version: 2, file });
    const listed = await runHere(['user', 'list', '--json', ...where]);
    expect(JSON.parse(listed.stdout)).toEqual([{ name: 'anna', credential: expect.stringMatching(/^c_/), version: 2 }]);
    expect(await runHere(['user', 'remove', 'anna', ...where])).toMatchObject({
      code: 0,
      stdout: 'removed anna\n',
    });
    expect(await runHere(['user', 'remove', 'anna', ...where])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no user "anna"'),
    });
    rmSync(join(file, '..'), { recursive: true });
  });

  test('add by configuration makes a missing users file', async () => {
    writeFileSync(folder.file('latchkey.yaml'), `${minimalYaml}\nusers_file: new-users`);
    const args = ['user', 'add', 'anna', '--password-stdin', '--config', folder.file('latchkey.yaml')];
    expect(await runHere(args, { stdin: 'pw' })).toMatchObject({ code: 0 });
    expect(statSync(folder.file('new-users')).mode & 0o777).toBe(0o600);
  });

  test.each([
    [['anna', '--file', 'users'], '', 2, 'pipe it in with --password-stdin'],
    [['an:na', '--file', 'users', '--password-stdin'], 'pw', 2, 'has a colon'],
    [['anna', '--password-stdin'], 'pw', 2, 'either --file FILE or --config FILE'],
    [['anna', '--file', 'users', '--password-stdin'], '\n', 1, 'the password is empty'],
  ])('add %j is refused', async (args, stdin, exitCode, part) => {
    const { code, stderr } = await runHere(['user', 'add', ...args], { stdin, cwd: folder.path });
    expect(code).toBe(exitCode);
    expect(stderr).toContain(part);
    expect(readFileSync(folder.file('users'), 'utf8')).toBe('');
  });
});
