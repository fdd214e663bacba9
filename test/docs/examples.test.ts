// Runs the examples of the pages in order, as a reader would: the configuration, the commands, curl against the running gateway, the
// checks of the assertion. Only ports are replaced, by free ones; `npm run` finds the checkout's own program.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFreePort } from '../../bench/measure/processes.ts';
import { findProgram } from '../../bench/measure/programs.ts';
import { loadConfig } from '../../gateway/config/load.ts';
import { formatProblems } from '../../gateway/config/problems/format.ts';
import { epochSeconds } from '../../gateway/telemetry/clock.ts';
import { RawClient } from '../support/clients/raw-client.ts';
import { RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { expectSteps, markedBlock, markedBlocks, repository, shellSteps } from '../support/run/pages.ts';
import { runCommand } from '../support/run/run-command.ts';
import { ShellSession } from '../support/run/shell-session.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-readme-'));
const environment = { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };

const hasCurl = findProgram('curl') !== null;
const ports = new Map<string, number>();
let media: RecordingUpstream;
let web: RecordingUpstream;
let shell: ShellSession;
let serve: ChildProcess | null = null;

/** The example with its ports replaced; the pages use these four and no others. */
function here(text: string): string {
  return text.replaceAll(/(?<=(?:127\.0\.0\.1|localhost):)(\d{4})\b/g, (port) => {
    const own = ports.get(port);
    if (own === undefined) throw new Error(`port ${port} is not one of the pages'`);
    return String(own);
  });
}

function base(): string {
  return here('http://127.0.0.1:8080');
}

beforeAll(async () => {
  media = await RecordingUpstream.start();
  web = await RecordingUpstream.start();
  ports.set('8080', await findFreePort());
  ports.set('9180', await findFreePort());
  ports.set('9000', media.port);
  ports.set('9001', web.port);
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  expect(scripts.latchkey).toBe('node gateway/latchkey.mjs');
  const latchkey = `node ${join(repository, 'gateway/latchkey.mjs')}`;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', scripts: { latchkey } }));
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  shell = new ShellSession(folder, environment);
});

afterAll(async () => {
  await shell?.close();
  if (serve !== null && serve.exitCode === null && serve.signalCode === null) {
    const exit = new Promise((resolve) => serve?.once('exit', resolve));
    serve.kill('SIGTERM');
    await exit;
  }
  await media?.close();
  await web?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the one line of the block without npm in between, which would keep signals to itself. */
function startServe(block: string): Promise<void> {
  const match = /^npm run -s latchkey -- (serve .+)\n$/.exec(block);
  const args = (match?.[1] ?? '').split(' ');
  const child = spawn(process.execPath, [join(repository, 'gateway/main.ts'), ...args], { cwd: folder, stdio: 'pipe' });
  serve = child;
  return new Promise((resolve, reject) => {
    let printed = '';
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (/^latchkey is ready: /m.test(printed)) resolve();
      });
    }
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${printed}`)));
  });
}

describe('the pages, from top to bottom', () => {
  for (const [index, block] of markedBlocks().entries()) {
    if (block.mark === 'config') {
      test('the configuration loads as it stands, once the files it names exist', () => {
        const sample = mkdtempSync(join(folder, 'sample-'));
        writeFileSync(join(sample, 'latchkey.yaml'), block.text);
        writeFileSync(join(sample, 'k1.secret'), 'k'.repeat(43), { mode: 0o600 });
        writeFileSync(join(sample, 'users'), '', { mode: 0o600 });
        const loaded = loadConfig(join(sample, 'latchkey.yaml'), () => undefined);
        expect(loaded.kind === 'invalid' ? formatProblems(loaded.problems) : loaded.warnings).toEqual([]);
        writeFileSync(join(folder, 'latchkey.yaml'), here(block.text));
      });
    } else if (block.mark === 'serve') {
      test('serve starts with it', async () => {
        await startServe(block.text);
      });
    } else if (block.mark === 'sh') {
      test(`${block.page}: shell example ${index} prints what the page says`, async (context) => {
        const steps = shellSteps(here(block.text));
        const runnable = steps.filter(({ command }) => hasCurl || !command.startsWith('curl '));
        await expectSteps(shell, runnable);
        if (runnable.length < steps.length) context.skip('curl is not installed');
      });
    }
  }
});

describe('the tokens of a JWT library', () => {
  test('what the example makes opens at latchkey, and what latchkey makes opens in the example', async () => {
    const file = join(folder, 'tokens.mjs');
    writeFileSync(file, markedBlock('token library'));
    const script = join(folder, 'use-tokens.mjs');
    writeFileSync(
      script,
      `import { makeToken, opens } from './tokens.mjs';
const [token] = process.argv.slice(2);
const answers = [await opens(token, '/vod/a.ts'), await opens(token, '/other'), await opens(token + 'x', '/vod/a.ts').catch(() => 'refused')];
console.log(JSON.stringify({ answers, made: await makeToken('user-7', ['/vod/*'], 60), ended: await makeToken('user-7', ['/vod/*'], -60) }));`,
    );
    const { stdout: token } = await shell.run('printf %s "$TOKEN"');
    const ran = await runCommand(process.execPath, [script, token], { cwd: folder });
    expect(ran.stderr).toBe('');
    const { answers, made, ended } = JSON.parse(ran.stdout);
    expect(answers).toEqual([true, false, 'refused']);
    const statusWith = async (bearer: string) =>
      (await fetch(`${base()}/vod/a.ts`, { headers: { authorization: `Bearer ${bearer}` } })).status;
    expect([await statusWith(made), await statusWith(ended), await statusWith(`${made}x`)]).toEqual([200, 401, 401]);
    expect(media.last.header('X-Forwarded-User')).toBe('user-7');
  });
});

describe('the check of the assertion', () => {
  let assertion = '';

  beforeAll(async () => {
    const { stdout: token } = await shell.run(
      `npm run -s latchkey -- token mint --config latchkey.yaml --sub anna --paths '/*' --claims '{"email":"anna@example.org"}'`,
    );
    const client = await RawClient.connect(Number(new URL(base()).port));
    client.write(`GET / HTTP/1.1\r\nHost: app.localhost\r\nAuthorization: Bearer ${token.trim()}\r\n\r\n`);
    expect((await client.read()).status).toBe(200);
    client.destroy();
    assertion = web.last.header('X-Latchkey-Assertion') ?? '';
    expect(web.last.header('X-Forwarded-User')).toBe('anna');
  });

  /** The same assertion with its claims changed, and one that is no assertion at all. */
  function forgeries(): string[] {
    const [header = '', , signature = ''] = assertion.split('.');
    const claims = { iss: 'latchkey', aud: 'web', sub: 'mallory', exp: epochSeconds() + 60 };
    return [`${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`, ''];
  }

  test('in JavaScript it names the user, and refuses a changed one', async () => {
    writeFileSync(join(folder, 'assertion.mjs'), here(markedBlock('assertion js')));
    writeFileSync(
      join(folder, 'use-assertion.mjs'),
      `import { whoIsAsking } from './assertion.mjs';
for (const text of process.argv.slice(2)) {
  const said = await whoIsAsking({ headers: { 'x-latchkey-assertion': text } }).catch(() => ({ sub: 'refused' }));
  console.log(said.sub, said.email);
}`,
    );
    const ran = await runCommand(process.execPath, ['use-assertion.mjs', assertion, ...forgeries()], { cwd: folder });
    expect(ran).toEqual({
      code: 0,
      stderr: '',
      stdout: 'anna anna@example.org\nrefused undefined\nrefused undefined\n',
    });
  });

  test('in Python it compiles', async (context) => {
    writeFileSync(join(folder, 'assertion.py'), here(markedBlock('assertion python')));
    const compiled = await python(['-m', 'py_compile', 'assertion.py']);
    if (compiled === null) return context.skip('Python 3 is not installed');
    expect(compiled.stderr).toBe('');
    expect(compiled.code).toBe(0);
  });

  test('in Python it names the user, and refuses a changed one', async (context) => {
    const found = await python(['-c', 'import jwt, cryptography; jwt.PyJWKClient']);
    if (found === null || found.code !== 0)
      return context.skip('Python 3 with PyJWT and cryptography is not installed');
    writeFileSync(join(folder, 'assertion.py'), here(markedBlock('assertion python')));
    writeFileSync(
      join(folder, 'use_assertion.py'),
      `import sys
import jwt
from assertion import who_is_asking
for text in sys.argv[1:]:
    try:
        print(who_is_asking({"X-Latchkey-Assertion": text})["sub"])
    except jwt.PyJWTError:
        print("refused")
`,
    );
    const ran = await python(['use_assertion.py', assertion, ...forgeries()]);
    expect(ran).toEqual({ code: 0, stderr: '', stdout: 'anna\nrefused\nrefused\n' });
  });

  test('in Go it is formatted as gofmt has it', async (context) => {
    writeFileSync(join(folder, 'assertion.go'), markedBlock('assertion go'));
    const ran = await runCommand('gofmt', ['-l', 'assertion.go'], { cwd: folder }).catch(() => null);
    if (ran === null) return context.skip('Go is not installed');
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  function python(args: readonly string[]) {
    return runCommand('python3', args, { cwd: folder, env: environment }).catch(() => null);
  }
});
