// The requests of the load: each one different, the same in every run, and the same for every proxy.

import { describe, expect, it } from 'vitest';
import { bodyBytes, makeBody } from '../../../bench/workload/bodies.ts';
import {
  makeRequest,
  makeWorkload,
  parseRequest,
  renderRequest,
  renderRequests,
  separator,
} from '../../../bench/workload/requests.ts';

const workload = makeWorkload('a secret of at least thirty-two bytes', 4_102_444_800, 50);

describe('requests', () => {
  it('differ in path, User-Agent and the random field, and turn over the tokens', () => {
    const all = Array.from({ length: 500 }, (_, index) => makeRequest(workload, 'bearer', '1k', index));
    const distinct = (read: (request: (typeof all)[number]) => string | undefined) => new Set(all.map(read)).size;
    expect(distinct((request) => request.path)).toBe(500);
    expect(distinct((request) => request.headers['User-Agent'])).toBe(500);
    expect(distinct((request) => request.headers['X-Playback-Session-Id'])).toBe(500);
    expect(distinct((request) => request.headers.Authorization)).toBe(50);
  });
  it('are the same each time they are made', () => {
    expect(makeRequest(workload, 'bearer', '64k', 3)).toEqual(makeRequest(workload, 'bearer', '64k', 3));
  });
  it('come back from their bytes unchanged', () => {
    const request = makeRequest(workload, 'secure-link', '1k', 9);
    expect(parseRequest(renderRequest(request))).toEqual(request);
  });
  it('are as many as asked for in a file', () => {
    const parts = renderRequests(workload, 'uri-signing', '1k', 20).split(separator);
    expect(parts).toHaveLength(20);
    for (const part of parts) expect(part).toMatch(/^GET \/vod\/1k\/\S+ HTTP\/1\.1\r\n(.+\r\n)+\r\n$/);
  });
  it.each(['bearer', 'secure-link', 'uri-signing'] as const)('a fault changes the %s credential alone', (form) => {
    const good = renderRequest(makeRequest(workload, form, '1k', 5));
    const wrong = renderRequest(makeRequest(workload, form, '1k', 5, 'wrong'));
    const absent = renderRequest(makeRequest(workload, form, '1k', 5, 'absent'));
    expect(wrong).toHaveLength(good.length);
    expect([...wrong].filter((character, at) => character !== good[at])).toHaveLength(1);
    expect(absent.length).toBeLessThan(good.length - 30);
  });
});

describe('bodies', () => {
  it('have their size to the byte and differ from each other', () => {
    for (const size of ['1k', '64k', '1m'] as const) expect(Buffer.byteLength(makeBody(size))).toBe(bodyBytes[size]);
    expect(makeBody('64k').startsWith(makeBody('1k'))).toBe(false);
  });
});
