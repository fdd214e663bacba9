// config/peers/haproxy-jwt.cfg on a real HAProxy: it verifies latchkey's tokens with nothing but the common key.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findProgram } from '../../bench/measure/programs.ts';
import type { SharedKey } from '../../gateway/cli/common-key/key-forms.ts';
import { epochSeconds } from '../../gateway/telemetry/clock.ts';
import { nameVectors } from '../support/path-names.ts';
import {
  changeToken,
  exportedKeys,
  exportedText,
  mintUnder,
  PeerRig,
  peerFile,
  sharedSecret,
} from '../support/peers/peer-rig.ts';
import { RecordingUpstream } from '../support/peers/recording-upstream.ts';

const haproxy = findProgram('haproxy');

describe('HAProxy with the common key', () => {
  let rig: PeerRig;
  let upstream: RecordingUpstream;
  let good: string;

  beforeEach((context) => {
    if (haproxy === null) context.skip('HAProxy is not installed');
  });

  beforeAll(async () => {
    if (haproxy === null) return;
    rig = new PeerRig();
    upstream = await RecordingUpstream.start();
    const file = join(rig.folder, 'haproxy.cfg');
    await rig.start((port) => {
      const text = peerFile('haproxy-jwt.cfg', {
        '127.0.0.1:8081': `127.0.0.1:${port}`,
        '127.0.0.1:9000': `127.0.0.1:${upstream.port}`,
        // the lines of k1 as they stand are what is exported of it alone; here those of two keys are in their place
        [keyLines(exportedKeys.slice(0, 1))]: keyLines(exportedKeys),
      });
      writeFileSync(file, text);
      writeFileSync(join(rig.folder, 'keys.env'), exportedText('haproxy'));
      return ['sh', '-c', `set -a; . ./keys.env; exec '${haproxy}' -db -f '${file}'`];
    });
    good = await rig.mint('--paths', '/vod/*', '--ttl', '15m');
  });

  afterAll(async () => {
    await rig?.close();
    await upstream?.close();
  });

  /** The lines of the configuration that the exported environment names in its comments. */
  function keyLines(keys: readonly SharedKey[]): string {
    const lines = exportedText('haproxy', keys).match(/(?<=^# {3}).+/gm) ?? [];
    return lines.map((line) => `  ${line}`).join('\n');
  }

  /** A token of another library under the same key. */
  function foreign(claims: Record<string, unknown>, header: { alg?: string; typ?: string } = {}): Promise<string> {
    return new SignJWT({ sub: 'anna', paths: ['/vod/*'], exp: epochSeconds() + 60, ...claims })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1', ...header })
      .sign(Buffer.from(sharedSecret));
  }

  test('a token made by latchkey opens what its paths name, and the upstream hears who it is', async () => {
    upstream.clear();
    const answer = await rig.request('/vod/film/a.ts', [
      `Authorization: Bearer ${good}`,
      'X-Forwarded-User: mallory',
      'Cookie: theme=dark',
    ]);
    expect([answer.status, answer.text]).toEqual([200, 'content']);
    expect(upstream.last.header('X-Forwarded-User')).toBe('anna');
    expect(upstream.last.header('Authorization')).toBe(null);
    expect(upstream.last.header('Cookie')).toBe('theme=dark');
  });

  test('the token may also stand in the path or in the cookie of a pass, and is not passed on', async () => {
    upstream.clear();
    expect((await rig.request(`/.t/${good}/vod/film/a.ts?x=1`)).status).toBe(200);
    expect(upstream.last.line).toBe('GET /vod/film/a.ts?x=1 HTTP/1.1');
    expect((await rig.request('/vod/film/a.ts', [`Cookie: a=1; latchkey_pass=${good}; b=2`])).status).toBe(200);
    expect(upstream.last.raw.toString('latin1')).not.toContain(good.slice(-20));
    expect(upstream.last.header('Cookie')).toBe('a=1; b=2');
  });

  test('common-key export --form haproxy: each exported key verifies a token of latchkey, and no changed token', async () => {
    for (const key of exportedKeys) {
      const token = mintUnder(key);
      expect([key.id, await rig.present(token)]).toEqual([key.id, 200]);
      expect([key.id, await rig.present(changeToken(token, 'claims'))]).toEqual([key.id, 401]);
      expect([key.id, await rig.present(changeToken(token, 'signature'))]).toEqual([key.id, 401]);
      const others = exportedKeys.filter(({ id }) => id !== key.id);
      for (const { secret } of others) expect(await rig.present(mintUnder({ id: key.id, secret }))).toBe(401);
    }
  });

  test('a request without a token gets 401 with a challenge, and the upstream sees nothing', async () => {
    upstream.clear();
    const answer = await rig.request('/vod/film/a.ts');
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, 'Bearer']);
    expect(upstream.requests).toEqual([]);
  });

  test('changed claims, a changed signature, another key and another key id get 401', async () => {
    upstream.clear();
    expect(await rig.present(changeToken(good, 'claims'))).toBe(401);
    expect(await rig.present(changeToken(good, 'signature'))).toBe(401);
    expect(await rig.present(await rig.mintElsewhere('k1', '--paths', '/vod/*'))).toBe(401);
    expect(await rig.present(await rig.mintElsewhere('k9', '--paths', '/vod/*'))).toBe(401);
    expect(upstream.requests).toEqual([]);
  });

  test('tokens that are expired, not valid yet, or live longer than a day get 401', async () => {
    expect(await rig.present(await foreign({ exp: epochSeconds() - 1 }))).toBe(401);
    expect(await rig.present(await foreign({ nbf: epochSeconds() + 60 }))).toBe(401);
    expect(await rig.present(await rig.mint('--paths', '/vod/*', '--ttl', '25h'))).toBe(401);
    expect(await rig.present(await foreign({ exp: undefined }))).toBe(401);
  });

  test('a token may have fractions in its times, as JWT libraries write them', async () => {
    const now = epochSeconds();
    expect(await rig.present(await foreign({ exp: now + 60.5, nbf: now - 0.5 }))).toBe(200);
    expect(await rig.present(await foreign({ exp: now - 0.5 }))).toBe(401);
  });

  test('another algorithm or type under the same key gets 401', async () => {
    expect(await rig.present(await foreign({}))).toBe(200);
    expect(await rig.present(await foreign({}, { alg: 'HS512' }))).toBe(401);
    expect(await rig.present(await foreign({}, { typ: 'ls+jwt' }))).toBe(401);
    expect(await rig.present(await foreign({}, { typ: 'lp+jwt' }))).toBe(200);
  });

  test('a path outside of the token’s paths gets 403', async () => {
    const film = await rig.mint('--paths', '/vod/film/*', '--paths', '/vod/poster.jpg');
    expect(await rig.present(film, '/vod/film/')).toBe(200);
    expect(await rig.present(film, '/vod/film/low/1.ts?x=1')).toBe(200);
    expect(await rig.present(film, '/vod/poster.jpg')).toBe(200);
    for (const path of ['/vod/poster.jpg2', '/vod/filmx/1.ts', '/vod/', '/other/', '/', '/vod/fil']) {
      expect([path, await rig.present(film, path)]).toEqual([path, 403]);
    }
    expect(await rig.present(await rig.mint('--unscoped'))).toBe(403);
    // an empty list opens nothing, and so do patterns that this configuration does not understand
    for (const paths of [[], '/vod/*', ['/vod/*/a.ts'], ['/vod/film/a*'], ['*'], ['']]) {
      expect([paths, await rig.present(await foreign({ paths }))]).toEqual([paths, 403]);
    }
  });

  test('all spellings of a path get the same answer', async () => {
    const answers: string[] = [];
    for (const { pattern, target, opens } of nameVectors) {
      const status = await rig.present(await foreign({ paths: [pattern] }), target);
      if ((status === 200) !== opens) answers.push(`${pattern} on ${target}: ${status}`);
    }
    expect(answers).toEqual([]);
  });

  test('a path that could be read as another path gets 400', async () => {
    for (const path of ['/vod/../secret', '/vod/%2e%2e/secret', '/vod/a%2Fb', '//vod/a', '/vod/..', '/vod/a\\b']) {
      expect([path, await rig.present(good, path)]).toEqual([path, 400]);
    }
    expect((await rig.request(`/.t/${good}/vod/../secret`)).status).toBe(400);
  });

  test('limits on methods and hosts are enforced, and a token with limits that HAProxy cannot check is refused', async () => {
    const head = await rig.mint('--paths', '/vod/*', '--methods', 'HEAD');
    expect([await rig.present(head), await rig.present(head, '/vod/a', 'HEAD')]).toEqual([403, 200]);
    const get = await rig.mint('--paths', '/vod/*', '--methods', 'GET');
    expect([await rig.present(get), await rig.present(get, '/vod/a', 'HEAD')]).toEqual([200, 200]);
    expect(await rig.present(await rig.mint('--paths', '/vod/*', '--methods', 'POST'))).toBe(403);
    expect(await rig.present(good, '/vod/a', 'POST')).toBe(405);

    expect(await rig.present(await rig.mint('--paths', '/vod/*', '--hosts', 'a.test,media.example'))).toBe(200);
    expect(await rig.present(await rig.mint('--paths', '/vod/*', '--hosts', 'xmedia.example'))).toBe(403);
    for (const hosts of [[], 'media.example', ['xmedia.example', 'media.examplex'], ['*.example.org']]) {
      expect([hosts, await rig.present(await foreign({ hosts }))]).toEqual([hosts, 403]);
    }
    expect(await rig.present(await foreign({ methods: [] }))).toBe(403);
    expect(await rig.present(await foreign({ ips: ['127.0.0.1'] }))).toBe(403);
    for (const aud of ['app', ['app'], []])
      expect([aud, await rig.present(await foreign({ aud }))]).toEqual([aud, 401]);
  });
});
