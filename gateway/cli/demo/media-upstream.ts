// The demo's media site: a small static file server that knows nothing of latchkey, like any site behind the gateway.
// It serves a fixed table of files, so no path of a request ever reaches the file system. Ranges: RFC 9110 §14.

import { createReadStream, globSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { type DemoUpstream, listenOnLoopback } from './demo-upstream.ts';
import type { DemoFiles } from './package-files.ts';

/** What the site saw of one request, and what it answered. @testing */
export interface MediaRequest {
  readonly method: string;
  /** Request target as it arrived, with its query. */
  readonly target: string;
  readonly status: number;
  /** `X-Forwarded-User`, as the gateway sets it; null when absent. */
  readonly user: string | null;
}

type StoredFile = { readonly type: string; readonly size: number } & (
  | { readonly path: string }
  /** Bytes that were made at the start, and stand in no file. */
  | { readonly bytes: Buffer }
);

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.jpg': 'image/jpeg',
  '.vtt': 'text/vtt; charset=utf-8',
};

/**
 * Folders with the same player page: one for tokens with the clip as it is, one to hand out links to, whose clip is repeated. A player holds
 * 12 s at once and would go on to their end after access was lost; of minutes it holds a few seconds.
 */
const folders = [
  { folder: '/vod/', rounds: 1 },
  { folder: '/vod/summer/', rounds: 25 },
] as const;

/**
 * Starts the site on a free loopback port. Each folder holds the clip; the folder's own path answers with the player page.
 *
 * @param onRequest  called once for each answered request
 */
export function startMediaUpstream(
  files: DemoFiles,
  onRequest: (request: MediaRequest) => void,
): Promise<DemoUpstream> {
  const table = listFiles(files);
  return listenOnLoopback(
    createServer((request, response) => {
      answer(table, request, response);
      onRequest({
        method: request.method ?? '',
        target: request.url ?? '',
        status: response.statusCode,
        user: request.headers['x-forwarded-user']?.toString() ?? null,
      });
    }),
  );
}

function listFiles({ clip, pages, player }: DemoFiles): ReadonlyMap<string, StoredFile> {
  const table = new Map<string, StoredFile>();
  const add = (urlPath: string, path: string) => {
    table.set(urlPath, { path, type: typeOf(path), size: statSync(path).size });
  };
  const names = globSync('**/*.*', { cwd: clip });
  for (const { folder, rounds } of folders) {
    for (const name of names) {
      const urlPath = `${folder}${name.replaceAll('\\', '/')}`;
      if (rounds === 1 || !urlPath.endsWith('/index.m3u8')) {
        add(urlPath, join(clip, name));
        continue;
      }
      const bytes = Buffer.from(repeatPlaylist(readFileSync(join(clip, name), 'utf8'), rounds));
      table.set(urlPath, { bytes, type: typeOf(name), size: bytes.length });
    }
    add(folder, join(pages, 'player.html'));
    add(`${folder}index.html`, join(pages, 'player.html'));
    add(`${folder}player/style.css`, join(pages, 'style.css'));
    add(`${folder}player/player.js`, join(pages, 'player.js'));
    add(`${folder}player/captions.vtt`, join(pages, 'captions.vtt'));
    add(`${folder}player/hls.min.js`, player);
  }
  return table;
}

function typeOf(path: string): string {
  return types[extname(path)] ?? 'application/octet-stream';
}

/**
 * A media playlist whose segments come several times over. Each round begins with a discontinuity, since its segments have the same
 * timestamps as those of the round before (RFC 8216 §4.3.2.3).
 *
 * @param rounds  how often the segments are listed, 1 or more
 * @testing
 */
export function repeatPlaylist(playlist: string, rounds: number): string {
  const [head = '', ...parts] = playlist.split(/^(?=#EXTINF:)/m);
  const segments = parts.join('').replace('#EXT-X-ENDLIST\n', '');
  return `${head}${Array.from({ length: rounds }, () => segments).join('#EXT-X-DISCONTINUITY\n')}#EXT-X-ENDLIST\n`;
}

function answer(table: ReadonlyMap<string, StoredFile>, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 }).end();
    return;
  }
  const [path = ''] = (request.url ?? '').split('?', 1);
  const file = table.get(path);
  if (file === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('no such file\n');
    return;
  }
  response.setHeader('accept-ranges', 'bytes');
  const range = parseRange(request.headers.range, file.size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${file.size}`, 'content-length': 0 }).end();
    return;
  }
  const { first, last } = range ?? { first: 0, last: file.size - 1 };
  if (range !== null) response.setHeader('content-range', `bytes ${first}-${last}/${file.size}`);
  response.writeHead(range === null ? 200 : 206, {
    'content-type': file.type,
    'content-length': last - first + 1,
    // the browser must ask again each time, so that it shows nothing from its cache after access was revoked
    'cache-control': 'no-cache',
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if ('bytes' in file) {
    response.end(file.bytes.subarray(first, last + 1));
    return;
  }
  const stream = createReadStream(file.path, { start: first, end: last });
  // the head is out already, so an answer that cannot be finished must end without its last bytes
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/**
 * Reads a Range field.
 *
 * @param size  of the file, in bytes
 * @returns first and last byte to send, both included; null for the whole file, which is also the answer to several ranges and other units
 * @testing
 */
export function parseRange(
  field: string | undefined,
  size: number,
): { readonly first: number; readonly last: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(field ?? '');
  if (match === null) return null;
  const [, from = '', to = ''] = match;
  if (from === '') {
    if (to === '') return null;
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < first) return null;
  return first >= size ? 'unsatisfiable' : { first, last };
}
