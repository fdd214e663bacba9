// Lines of the feed: what an edge takes for a message of control, and that a line it does not take is quoted nowhere.

import { expect, test } from 'vitest';
import { readFeedMessage } from '../../gateway/wire/feed.ts';
import { testConfig } from '../support/rigs/control.ts';

const secret = 'c2VjcmV0LWtleS1ieXRlcw';
const change = { kind: 'revoke', node: 'se_1', seq: 3, at: 1_700_000_000 };
const beat = { epoch: 'e', seq: 3, readAgeMs: 1.5, sentAtMs: 12.25 };
const key = { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret };

test.each([
  {
    kind: 'snapshot',
    seq: 1,
    config: testConfig(),
    keys: [key],
    upstreamTls: [{ name: 'media', ca: null, certificate: 'c', key: 'k' }],
    tls: [null, { certificates: [{ cert: 'c', key: 'k' }], clientCa: null }],
    ticketSecret: 't',
    publicSocket: '/run/public.sock',
    index: { ...beat, revocations: [change] },
  },
  { kind: 'heartbeat', seq: 1, log: null },
  { kind: 'heartbeat', seq: 1, log: beat },
  { kind: 'index', index: { ...beat, revocations: [] } },
  { kind: 'keys', keys: [key] },
  { kind: 'changes', changes: [change], epoch: 'e', seq: 3 },
  { kind: 'tickets', ticketSecret: 't' },
  { kind: 'collect', id: 7 },
])('a message of kind $kind is read as it was written', (message) => {
  expect(readFeedMessage(JSON.stringify(message))).toEqual(message);
});

test.each([
  ['no JSON', `{"kind":"keys","keys":["${secret}"`],
  ['an unknown kind', JSON.stringify({ kind: 'news', secret })],
  ['a key of another algorithm', JSON.stringify({ kind: 'keys', keys: [{ ...key, algorithm: 'none' }] })],
  ['a place of the log that is no number', JSON.stringify({ kind: 'changes', changes: [], epoch: 'e', seq: secret })],
])('%s is refused, and the refusal says nothing of what stood there', (_, line) => {
  let said = '';
  try {
    readFeedMessage(line);
  } catch (error) {
    said = String(error);
  }
  expect(said).toContain("none of the feed's");
  expect(said).not.toContain(secret);
});
