// config/peers/nginx-njs.conf on a real nginx with njs: a media server that verifies latchkey's tokens by itself.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findProgram } from '../../bench/measure/programs.ts';
import { epochSeconds } from '../../gateway/telemetry/clock.ts';
import { nameVectors } from '../support/path-names.ts';
import {
  changeToken,
  exportedKeys,
  exportedText,
  mintUnder,
  PeerRig,
  peerFile,
  peerFiles,
  sharedSecret,
} from '../support/peers/peer-rig.ts';
import { runCommand } from '../support/run/run-command.ts';

const nginx = findProgram('nginx');
const hasNjs = nginx !== null && (await loadsNjs(nginx));

/** Whether this nginx finds and takes the module, tried with a configuration of its own. */
async function loadsNjs(program: string): Promise<boolean> {
  const rig = new PeerRig();
  const file = join(rig.folder, 'probe.conf');
  writeFileSync(file, `load_module modules/ngx_http_js_module.so;\npid ${rig.folder}/pid;\nevents {}\n`);
  const { code } = await runCommand(program, ['-t', '-e', 'stderr', '-c', file]);
  await rig.close();
  return code === 0;
}

describe('nginx with njs and the common key', () => {
  let rig: PeerRig;
  let good: string;

  beforeEach((context) => {
    if (!hasNjs) context.skip('nginx with ngx_http_js_module is not installed');
  });

  beforeAll(async () => {
    if (!hasNjs) return;
    rig = new PeerRig();
    const { folder } = rig;
    mkdirSync(join(folder, 'media/vod/film'), { recursive: true });
    for (const name of ['vod/film/a.ts', 'vod/my film.ts', 'secret.txt']) {
      writeFileSync(join(folder, 'media', name), `content of ${name}`);
    }
    cpSync(join(peerFiles, 'latchkey.js'), join(folder, 'latchkey.js'));
    writeFileSync(join(folder, 'latchkey-keys.json'), exportedText('njs'));
    const file = join(folder, 'nginx.conf');
    await rig.start((port) => {
      const text = peerFile('nginx-njs.conf', {
        '127.0.0.1:8081': `127.0.0.1:${port}`,
        '/etc/nginx': folder,
        '/srv/media': join(folder, 'media'),
        '/var/log/nginx': folder,
        'worker_processes auto;': 'worker_processes 1;',
      });
      // As root nginx would serve as another account, to which the temporary folder is closed.
      const account = process.getuid?.() === 0 ? 'user root;' : '';
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${join(folder, name)};`,
      );
      writeFileSync(
        file,
        `daemon off; pid ${join(folder, 'pid')}; ${account}\n${text.replace('http {', `http {\n  ${paths.join(' ')}`)}`,
      );
      return [nginx ?? '', '-e', 'stderr', '-c', file];
    });
    good = await rig.mint('--paths', '/vod/*', '--ttl', '15m');
  });

  afterAll(async () => {
    await rig?.close();
  });

  function foreign(claims: Record<string, unknown>, header: { alg?: string; typ?: string; kid?: string } = {}) {
    return new SignJWT({ sub: 'anna', paths: ['/vod/*'], exp: epochSeconds() + 60, ...claims })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1', ...header })
      .sign(Buffer.from(sharedSecret));
  }

  test('a token made by latchkey opens the file as bearer, in the path, in the query and in the cookie of a pass', async () => {
    const bearer = await rig.request('/vod/film/a.ts', [`Authorization: Bearer ${good}`]);
    expect([bearer.status, bearer.text]).toEqual([200, 'content of vod/film/a.ts']);
    const answers = [
      await rig.request(`/.t/${good}/vod/film/a.ts`),
      await rig.request(`/vod/film/a.ts?x=1&token=${good}`),
      await rig.request('/vod/film/a.ts', [`Cookie: a=1; latchkey_pass=${good}`]),
    ];
    expect(answers.map(({ status, text }) => [status, text])).toEqual(answers.map(() => [200, bearer.text]));
  });

  test('common-key export --form njs: each exported key verifies a token of latchkey, and no changed token', async () => {
    for (const key of exportedKeys) {
      const token = mintUnder(key);
      expect([key.id, await rig.present(token)]).toEqual([key.id, 200]);
      expect([key.id, await rig.present(changeToken(token, 'claims'))]).toEqual([key.id, 401]);
      expect([key.id, await rig.present(changeToken(token, 'signature'))]).toEqual([key.id, 401]);
      const others = exportedKeys.filter(({ id }) => id !== key.id);
      for (const { secret } of others) expect(await rig.present(mintUnder({ id: key.id, secret }))).toBe(401);
    }
  });

  test('a request without a token, or with two tokens, gets 401 with a challenge', async () => {
    const none = await rig.request('/vod/film/a.ts');
    expect([none.status, none.header('WWW-Authenticate')]).toEqual([401, 'Bearer']);
    const two = await rig.request(`/vod/film/a.ts?token=${good}`, [`Authorization: Bearer ${good}`]);
    expect(two.status).toBe(401);
    expect((await rig.request(`/vod/film/a.ts?token=${good}&token=${good}`)).status).toBe(401);
  });

  test('changed claims, a changed signature, another key and another key id get 401', async () => {
    expect(await rig.present(changeToken(good, 'claims'))).toBe(401);
    expect(await rig.present(changeToken(good, 'signature'))).toBe(401);
    expect(await rig.present(await rig.mintElsewhere('k1', '--paths', '/vod/*'))).toBe(401);
    for (const kid of ['k9', 'constructor', '__proto__', '']) {
      expect([kid, await rig.present(await foreign({}, { kid }))]).toEqual([kid, 401]);
    }
    for (const text of ['a', 'a.b.c', '..', 'e30.e30.', `${good}.`]) expect(await rig.present(text)).toBe(401);
  });

  test('tokens that are expired, not valid yet, live longer than a day, or are for another audience get 401', async () => {
    expect(await rig.present(await foreign({ exp: epochSeconds() - 6 }))).toBe(401);
    expect(await rig.present(await foreign({ nbf: epochSeconds() + 60 }))).toBe(401);
    expect(await rig.present(await foreign({ exp: String(epochSeconds() + 60) }))).toBe(401);
    expect(await rig.present(await rig.mint('--paths', '/vod/*', '--ttl', '25h'))).toBe(401);
    expect(await rig.present(await rig.mint('--paths', '/vod/*', '--aud', 'app'))).toBe(401);
  });

  test('a token may have fractions in its times, and null for absent claims, as JWT libraries write them', async () => {
    const now = epochSeconds();
    const said = { exp: now + 60.5, iat: now - 0.5, nbf: null, aud: null, methods: null, hosts: null, ips: null };
    expect(await rig.present(await foreign(said))).toBe(200);
    for (const exp of [now - 5.5, -1, null]) expect(await rig.present(await foreign({ exp }))).toBe(401);
  });

  test('another algorithm or type under the same key gets 401', async () => {
    expect(await rig.present(await foreign({}, { typ: 'lp+jwt' }))).toBe(200);
    expect(await rig.present(await foreign({}, { alg: 'HS512' }))).toBe(401);
    expect(await rig.present(await foreign({}, { typ: 'ls+jwt' }))).toBe(401);
  });

  test('a request outside of the token’s paths, methods, hosts or addresses gets 403', async () => {
    const film = await foreign({ paths: ['/vod/film/*', '/vod/my%20film.ts'] });
    expect([await rig.present(film), await rig.present(film, '/vod/my%20film.ts')]).toEqual([200, 200]);
    const narrow = [
      { paths: ['/vod/fil'] },
      { paths: ['/vod/film'] },
      { paths: [] },
      { paths: '/vod/*' },
      { paths: undefined },
      { paths: ['/vod/*/a.ts'] },
      { methods: ['HEAD'] },
      { methods: [] },
      { hosts: ['example.org'] },
      { ips: ['127.0.0.1'] },
    ];
    for (const claims of narrow) expect([claims, await rig.present(await foreign(claims))]).toEqual([claims, 403]);
    expect(
      await rig.present(await foreign({ methods: ['GET'], hosts: ['media.example'] }), '/vod/film/a.ts', 'HEAD'),
    ).toBe(200);
  });

  test('all spellings of a path get the same answer', async () => {
    const answers: string[] = [];
    for (const { pattern, target, opens } of nameVectors) {
      const status = await rig.present(await foreign({ paths: [pattern] }), target);
      // a name without a file is 404, once it was opened
      if ((status === 404 || status === 200) !== opens) answers.push(`${pattern} on ${target}: ${status}`);
    }
    expect(answers).toEqual([]);
  });

  test('no spelling of a path leads out of the folder that the token names', async () => {
    const film = await rig.mint('--paths', '/vod/film/*');
    for (const path of [
      '/vod/film/../my%20film.ts',
      '/vod/film/%2e%2e/my%20film.ts',
      '/vod/film%2f..%2fmy%20film.ts',
    ]) {
      expect([path, await rig.present(film, path)]).toEqual([path, 403]);
    }
    expect((await rig.request(`/.t/${film}/vod/film/../../secret.txt`)).status).toBe(404);
  });
});
