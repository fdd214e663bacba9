// Tests of the judge itself: every difference from a row's expectation is reported, so that a green suite means something.

import { expect, test } from 'vitest';
import { judge } from './judge.ts';
import { openLane } from './lanes.ts';
import { family, get, type RequestRow } from './row.ts';
import { type Observed, runRow } from './run-row.ts';

const { refused, passed } = family('self-check');
const refusedRow = refused('refused', 'a blank in the target', get('/open/a b'), 'RFC 9112 §3.2');
const passedRow = passed('passed', 'nothing at all', get('/open/a'), 'none', { line: 'GET /open/a' });

const lane = await openLane('plain');
const refusedSeen = await runRow(refusedRow, lane, 'fresh');
const passedSeen = await runRow(passedRow, lane, 'fresh');
await lane.close();

test('a result that fits its row has no complaints', () => {
  expect(judge(refusedRow, refusedSeen)).toEqual([]);
  expect(judge(passedRow, passedSeen)).toEqual([]);
});

test.each<[string, Partial<RequestRow>, RegExp]>([
  ['another status', { answers: [404] }, /answers \[404\] expected, got \[400\]/],
  ['one answer more', { answers: [400, 200] }, /answers \[400,200\] expected, got \[400\]/],
  ['an invitation', { interim: [100] }, /interim answers \[100\] expected, got \[\]/],
  ['an open connection', { after: 'open' }, /the connection is closed instead of open/],
  ['a forwarded request', { upstream: [{ line: 'GET /open/a' }] }, /the upstream got 0 requests instead of 1/],
  ['another text', { contains: /no such word/ }, /no \/no such word\//],
  ['a text that is there', { lacks: /Bad Request/ }, /\/Bad Request\/ in/],
])('a wrong expectation is said: %s', (_what, change, said) => {
  expect(judge({ ...refusedRow, ...change }, refusedSeen).join('\n')).toMatch(said);
});

test.each<[string, Partial<RequestRow>, RegExp]>([
  ['nothing forwarded', { upstream: 'nothing' }, /the upstream got "GET \/open\/a/],
  ['another line', { upstream: [{ line: 'GET /open/b' }] }, /instead of\s+"GET \/open\/b/],
  ['one field more', { upstream: [{ line: 'GET /open/a', fields: ['X: 1'] }] }, /instead of/],
  ['another user', { upstream: [{ line: 'GET /open/a', identity: ['X-Forwarded-User: a'] }] }, /instead of/],
  ['a pattern that does not match', { upstream: [/^POST /] }, /instead of\s+\/\^POST \//],
  ['a connection that ends', { after: 'closed' }, /does not say Connection: close/],
])('a wrong expectation is said: %s', (_what, change, said) => {
  expect(judge({ ...passedRow, ...change }, passedSeen).join('\n')).toMatch(said);
});

const piece = { rest: Buffer.from('POST /open/a HTTP/1.1\r\n'), broken: null, isGone: true };

test.each<[string, Partial<Observed>, RegExp]>([
  ['bytes behind the answer', { behind: 'HTTP/1.1 200 OK' }, /bytes behind the answer/],
  ['trouble', { trouble: ['the innocent request got 404'] }, /innocent/],
  ['a piece at the upstream', { pieces: [piece] }, /the upstream got a piece/],
  [
    'an answer of somebody else',
    { answers: passedSeen.answers.map((answer) => ({ ...answer, text: '/open/other' })) },
    /not the answer to/,
  ],
])('what happened otherwise is said: %s', (_what, change, said) => {
  expect(judge(passedRow, { ...passedSeen, ...change }).join('\n')).toMatch(said);
});

test('a part of a request that an upstream still waits behind is reported', () => {
  const row = { ...refusedRow, upstream: 'nothing-complete' } as const;
  expect(judge(row, { ...refusedSeen, pieces: [piece] })).toEqual([]);
  expect(judge(row, { ...refusedSeen, pieces: [{ ...piece, isGone: false }] }).join()).toMatch(/still waits/);
  expect(judge(row, { ...refusedSeen, pieces: [{ ...piece, broken: 'a trailer' }] }).join()).toMatch(/a trailer/);
});
