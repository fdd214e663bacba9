// The demo's media site: a small static file server that knows nothing of latchkey, like any site behind the gateway.
// It serves a fixed table of files, so no path of a request ever reaches the file system. Ranges: RFC 9110 §14.

import { createReadStream, globSync, statSync } from 'node:fs';
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

interface StoredFile {
  readonly path: string;
  readonly type: string;
  readonly size: number;
}

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

/** Folders that hold the same clip and player page: one for tokens, one to hand out links to. */
const folders = ['/vod/', '/vod/summer/'];

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
    const type = types[extname(path)] ?? 'application/octet-stream';
    table.set(urlPath, { path, type, size: statSync(path).size });
  };
  const names = globSync('**/*.*', { cwd: clip });
  for (const folder of folders) {
    for (const name of names) add(`${folder}${name.replaceAll('\\', '/')}`, join(clip, name));
    add(folder, join(pages, 'player.html'));
    add(`${folder}index.html`, join(pages, 'player.html'));
    add(`${folder}player/style.css`, join(pages, 'style.css'));
    add(`${folder}player/player.js`, join(pages, 'player.js'));
    add(`${folder}player/captions.vtt`, join(pages, 'captions.vtt'));
    add(`${folder}player/hls.min.js`, player);
  }
  return table;
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
