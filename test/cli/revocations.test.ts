// Revoking credentials without an account, on a whole running gateway: outside tokens, and users of the users file.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeUser } from '../../gateway/store/files/users.ts';
import { askRaw, requestText } from '../support/clients/raw-client.ts';
import { startServe } from '../support/rigs/serve-process.ts';
import { portOf } from '../support/rigs/serve-rig.ts';
import { runHere } from '../support/run/run-here.ts';
import { runLatchkey } from '../support/run/run-latchkey.ts';

test('a subject’s tokens are refused when the command returns, a removed user’s pass is refused soon after, and both stay refused after control restarts', async () => {
  const site = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const serve = await startServe({
    users: { alice: 'correct horse', dora: 'correct horse' },
    config: {
      // the supervisor says which processes it starts
      logs: { level: 'debug' },
      upstreams: { media: { servers: [`http://127.0.0.1:${portOf(site)}`] } },
      routes: [{ name: 'vod', path: '/vod/', upstream: 'media', accept: ['token', 'password'] }],
    },
  });
  try {
    const config = join(serve.folder, 'latchkey.yaml');
    const ask = (field: string) => askRaw(serve.port, requestText('GET', '/vod/a', [field]));
    const mint = async (name: string) => {
      const { stdout } = await runHere(['token', 'mint', '--config', config, '--sub', name, '--paths', '/vod/*']);
      return `Authorization: Bearer ${stdout.trim()}`;
    };
    const [bob, cora] = [await mint('bob'), await mint('cora')];
    expect([(await ask(bob)).status, (await ask(cora)).status]).toEqual([200, 200]);
    const { code, stdout, stderr } = await runLatchkey(['token', 'revoke', '--config', config, '--sub', 'bob']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^revoked tokens with sub bob, made until \d{4}-/);
    expect([(await ask(bob)).status, (await ask(cora)).status]).toEqual([401, 200]);

    const passOf = async (name: string) => {
      const basic = `Authorization: Basic ${Buffer.from(`${name}:correct horse`).toString('base64')}`;
      const [pass = ''] = (await ask(basic)).all('Set-Cookie');
      return `Cookie: ${pass.slice(0, pass.indexOf(';'))}`;
    };
    const isRefused = (cookie: string) =>
      expect.poll(async () => (await ask(cookie)).status, { timeout: 60_000 }).toBe(401);
    const [alice, dora] = [await passOf('alice'), await passOf('dora')];
    expect([(await ask(alice)).status, (await ask(dora)).status]).toEqual([200, 200]);
    await removeUser(join(serve.folder, 'users'), 'alice');
    await isRefused(alice);
    expect((await ask(dora)).status).toBe(200);

    // while control sees nothing: the one after it knows who was there
    const control = Number(/"child":"control","childPid":(\d+)/.exec(serve.printed())?.[1]);
    process.kill(control, 'SIGSTOP');
    await removeUser(join(serve.folder, 'users'), 'dora');
    process.kill(control, 'SIGKILL');
    await isRefused(dora);
  } finally {
    await serve.dispose();
    site.close();
  }
});

test('a command line that names no token, or two, is a usage error', async () => {
  for (const names of [[], ['--sub', 'bob', '--jti', '1']]) {
    expect((await runHere(['token', 'revoke', '--config', 'latchkey.yaml', ...names])).code).toBe(2);
  }
});
