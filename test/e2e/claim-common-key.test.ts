// The method of US 10,395,024, claim 1, step by step, with whole gateways as processes and nothing in common but the key.
// How the claim is read: the message names the common key by its `kid`, inside the hashed bytes; the hash is the HMAC.

import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram } from '../../bench/measure/programs.ts';
import { askRaw, type RawResponse, requestText } from '../support/clients/raw-client.ts';
import { PeerRig, peerFile } from '../support/peers/peer-rig.ts';
import { okAnswer, RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { gatewaySecret } from '../support/rigs/gateway.ts';
import { type ServeProcess, startServe } from '../support/rigs/serve-process.ts';

const haproxy = findProgram('haproxy');
const credentials = Buffer.from('alice:correct horse').toString('base64');

test('credentials once, content and token in one answer, the issuer forgets both and dies, the token lives on', async () => {
  const first = await RecordingUpstream.start();
  const second = await RecordingUpstream.start();
  first.fallback = okAnswer('#EXTM3U from the first');
  second.fallback = okAnswer('a segment from the second');
  const routes = (accept: ('token' | 'password')[]) => [
    { name: 'vod', path: '/vod/', upstream: 'media', accept, max_token_ttl: '24h' },
  ];
  const running: { dispose(): Promise<void> }[] = [];
  const peer = new PeerRig();
  try {
    // Credentials come with the request for the content.
    const issuer = await startServe({
      users: { alice: 'correct horse' },
      config: { upstreams: { media: { servers: [first.url] } }, routes: routes(['token', 'password']) },
    });
    running.push(issuer);
    const answer = await askRaw(
      issuer.port,
      requestText('GET', '/vod/a.m3u8', [`Authorization: Basic ${credentials}`, 'Prefer: token']),
    );

    // One answer carries the content and the token; the token is the message and its keyed hash.
    expect([answer.status, answer.text]).toEqual([200, '#EXTM3U from the first']);
    const token = answer.header('Latchkey-Token') ?? '';
    expect(answer.header('Set-Cookie')).toContain(`latchkey_pass=${token};`);
    const [header = '', message = '', hash = ''] = token.split('.');
    expect(JSON.parse(decode(header))).toEqual({ alg: 'HS256', kid: 'k1', typ: 'lp+jwt' });
    expect(JSON.parse(decode(message))).toMatchObject({ sub: 'alice', paths: ['/vod/*'] });
    expect(hash).toBe(sign(header, message, gatewaySecret));

    // The issuer keeps neither: not in its data folder, not in its logs, before its end and after.
    const secrets = [
      token,
      message,
      hash,
      decode(message),
      Buffer.from(hash, 'base64url').toString('hex'),
      credentials,
    ];
    await expect.poll(() => readFileSync(join(issuer.folder, 'access.log'), 'utf8')).toContain('"user":"alice"');
    expectNothingKept(issuer, secrets);
    await kill(issuer);
    expectNothingKept(issuer, secrets);
    await issuer.dispose();

    // Somebody else, who never heard of the issuer and has the common key alone, opens the content for the token.
    const other = await startServe({
      config: { upstreams: { media: { servers: [second.url] } }, routes: routes(['token']) },
    });
    running.push(other);
    const presented: ((token: string) => Promise<RawResponse>)[] = [
      (shown) => askRaw(other.port, requestText('GET', '/vod/1.ts', [`Authorization: Bearer ${shown}`])),
      (shown) => askRaw(other.port, requestText('GET', '/vod/1.ts', [`Cookie: latchkey_pass=${shown}`])),
      (shown) => askRaw(other.port, requestText('GET', `/.t/${shown}/vod/1.ts`)),
    ];
    if (haproxy === null) {
      console.warn('HAProxy is not installed: its jwt_verify was left out of this test');
    } else {
      await startHaproxy(peer, haproxy, second.port);
      presented.push((shown) => peer.request('/vod/1.ts', [`Authorization: Bearer ${shown}`]));
    }
    for (const present of presented) {
      const opened = await present(token);
      expect([opened.status, opened.text]).toEqual([200, 'a segment from the second']);
      expect(second.last.header('X-Forwarded-User')).toBe('alice');
      expect(second.last.raw.toString('latin1')).not.toContain(hash);
    }

    // A changed message, a changed hash and another key are refused, and the content server behind sees nothing of it.
    second.requests.length = 0;
    const changed = Buffer.from(decode(message).replace('alice', 'mallo')).toString('base64url');
    const flipped = `${hash.startsWith('A') ? 'B' : 'A'}${hash.slice(1)}`;
    const anotherKey = Buffer.from('another-key-that-nobody-shares-0123456789');
    for (const [what, bad] of [
      ['a changed message', `${header}.${changed}.${hash}`],
      ['a changed hash', `${header}.${message}.${flipped}`],
      ['another key', `${header}.${message}.${sign(header, message, anotherKey)}`],
      ['no hash', `${header}.${message}.`],
    ] as const) {
      for (const [at, present] of presented.entries()) {
        expect(`${what} at ${at}: ${(await present(bad)).status}`).toBe(`${what} at ${at}: 401`);
      }
    }
    expect(second.requests).toEqual([]);
  } finally {
    for (const one of running) await one.dispose();
    await peer.close();
    await first.close();
    await second.close();
  }
});

function decode(part: string): string {
  return Buffer.from(part, 'base64url').toString('utf8');
}

function sign(header: string, message: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`${header}.${message}`).digest('base64url');
}

/** Reads everything the issuer has on disk and everything it printed. */
function expectNothingKept(issuer: ServeProcess, secrets: readonly string[]): void {
  let files = 0;
  for (const name of readdirSync(issuer.folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(issuer.folder, name);
    if (!statSync(path).isFile()) continue;
    files += 1;
    const text = readFileSync(path, 'latin1');
    for (const secret of secrets) expect(`${name}: ${text.includes(secret)}`).toBe(`${name}: false`);
  }
  // configuration, key, users and both logs at the least: an empty walk would prove nothing
  expect(files).toBeGreaterThan(4);
  for (const secret of secrets) expect(issuer.printed().includes(secret)).toBe(false);
}

/** Ends the supervisor without a chance to tidy up; its children follow. Resolves once nobody listens any more. */
async function kill(issuer: ServeProcess): Promise<void> {
  await issuer.stop('SIGKILL');
  await expect.poll(() => isListening(issuer.port)).toBe(false);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function startHaproxy(peer: PeerRig, program: string, upstreamPort: number): Promise<void> {
  const file = join(peer.folder, 'haproxy.cfg');
  await peer.start((port) => {
    const text = peerFile('haproxy-jwt.cfg', {
      '127.0.0.1:8081': `127.0.0.1:${port}`,
      '127.0.0.1:9000': `127.0.0.1:${upstreamPort}`,
    });
    writeFileSync(file, text);
    return ['env', `LATCHKEY_K1=${gatewaySecret}`, program, '-db', '-f', file];
  });
}
