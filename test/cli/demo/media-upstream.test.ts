// The demo's media site on a real socket: its files, its types, its ranges, and that it serves nothing else.

import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { DemoUpstream } from '../../../gateway/cli/demo/demo-upstream.ts';
import {
  type MediaRequest,
  parseRange,
  repeatPlaylist,
  startMediaUpstream,
} from '../../../gateway/cli/demo/media-upstream.ts';
import { findDemoFiles } from '../../../gateway/cli/demo/package-files.ts';

const files = findDemoFiles();
const seen: MediaRequest[] = [];
let site: DemoUpstream;

beforeAll(async () => {
  site = await startMediaUpstream(files, (entry) => seen.push(entry));
});
beforeEach(() => {
  seen.length = 0;
});
afterAll(() => site.close());

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** Not `fetch`: it would tidy the path up before it sends it. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: site.port, path, method, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

test.each([
  ['/vod/', 'text/html; charset=utf-8'],
  ['/vod/index.html', 'text/html; charset=utf-8'],
  ['/vod/master.m3u8', 'application/vnd.apple.mpegurl'],
  ['/vod/low/segment-0.m4s', 'video/iso.segment'],
  ['/vod/poster.jpg', 'image/jpeg'],
  ['/vod/player/hls.min.js', 'text/javascript; charset=utf-8'],
  ['/vod/player/captions.vtt', 'text/vtt; charset=utf-8'],
])('serves %s as %s', async (path, type) => {
  const { status, headers, body } = await ask(path);
  expect([status, headers['content-type']]).toEqual([200, type]);
  expect(body.length).toBe(Number(headers['content-length']));
  expect(body.length).toBeGreaterThan(0);
});

test('every URL in the playlists is relative and is served', async () => {
  const master = (await ask('/vod/master.m3u8')).body.toString();
  const variants = master.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(variants).toEqual(['low/index.m3u8', 'high/index.m3u8']);
  for (const variant of variants) {
    const text = (await ask(`/vod/${variant}`)).body.toString();
    const urls = [...text.matchAll(/URI="([^"]+)"|^(?!#)(\S+)$/gm)].map((match) => match[1] ?? match[2] ?? '');
    expect(urls).toHaveLength(7);
    for (const url of urls) {
      expect(url).not.toMatch(/^(\/|\w+:)/);
      expect((await ask(new URL(url, `http://x/vod/${variant}`).pathname)).status).toBe(200);
    }
  }
});

test('the folder to hand out links to has five minutes of the same segments, so that a player cannot hold them all', async () => {
  const text = (await ask('/vod/summer/low/index.m3u8')).body.toString();
  const lengths = [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].map(([, seconds]) => Number(seconds));
  expect(lengths.reduce((sum, seconds) => sum + seconds, 0)).toBe(300);
  expect(text.match(/^#EXT-X-DISCONTINUITY$/gm)).toHaveLength(24);
  expect(text.match(/^#EXT-X-MAP:/gm)).toHaveLength(1);
  expect(text.endsWith('segment-5.m4s\n#EXT-X-ENDLIST\n')).toBe(true);

  const part = await ask('/vod/summer/low/index.m3u8', { range: 'bytes=1-6' });
  expect([part.status, part.body.toString()]).toEqual([206, 'EXTM3U']);
});

test('RFC 8216 §4.3.2.3: repeated once, a playlist stays as it is', () => {
  const playlist = readFileSync(join(files.clip, 'low', 'index.m3u8'), 'utf8');
  expect(repeatPlaylist(playlist, 1)).toBe(playlist);
});

test('a range is answered with exactly its bytes', async () => {
  const whole = readFileSync(join(files.clip, 'poster.jpg'));
  const part = await ask('/vod/poster.jpg', { range: 'bytes=10-19' });
  expect(part.status).toBe(206);
  expect(part.headers['content-range']).toBe(`bytes 10-19/${whole.length}`);
  expect(part.body).toEqual(whole.subarray(10, 20));

  const past = await ask('/vod/poster.jpg', { range: `bytes=${whole.length}-` });
  expect(past.status).toBe(416);
  expect(past.headers['content-range']).toBe(`bytes */${whole.length}`);
});

test('RFC 9110 §14: ranges are read as the grammar says', () => {
  expect(parseRange('bytes=0-', 100)).toEqual({ first: 0, last: 99 });
  expect(parseRange('bytes=90-1000', 100)).toEqual({ first: 90, last: 99 });
  expect(parseRange('bytes=-10', 100)).toEqual({ first: 90, last: 99 });
  expect(parseRange('bytes=-1000', 100)).toEqual({ first: 0, last: 99 });
  expect(parseRange('bytes=-0', 100)).toBe('unsatisfiable');
  expect(parseRange('bytes=100-', 100)).toBe('unsatisfiable');
  for (const field of [undefined, '', 'bytes=', 'bytes=-', 'bytes=5-4', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=a-b']) {
    expect(parseRange(field, 100)).toBeNull();
  }
});

test('HEAD has the length and no body; other methods are refused', async () => {
  const head = await ask('/vod/poster.jpg', {}, 'HEAD');
  expect(Number(head.headers['content-length'])).toBe(statSync(join(files.clip, 'poster.jpg')).size);
  expect(head.body).toHaveLength(0);
  expect((await ask('/vod/poster.jpg', {}, 'DELETE')).status).toBe(405);
});

test.each(['/vod/../../package.json', '/vod/%2e%2e/make-clip.sh', '/vod/low/', '/', '/vod/player/'])(
  'serves no file for %s',
  async (path) => {
    expect((await ask(path)).status).toBe(404);
  },
);

test('each request is reported with its user', async () => {
  await ask('/vod/low/index.m3u8?x=1', { 'x-forwarded-user': 'alice' });
  await ask('/vod/nothing');
  expect(seen).toEqual([
    { method: 'GET', target: '/vod/low/index.m3u8?x=1', status: 200, user: 'alice' },
    { method: 'GET', target: '/vod/nothing', status: 404, user: null },
  ]);
});
