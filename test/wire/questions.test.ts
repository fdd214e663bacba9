// Questions, answers and reports between edges and control: the bounds that keep a broken process from being believed.

import { expect, test } from 'vitest';
import { slotOf } from '../../gateway/wire/names.ts';
import { maxPlacesPerQuestion, questions } from '../../gateway/wire/questions.ts';
import { areWholeLines, maxSeenPerReport, reports } from '../../gateway/wire/reports.ts';

const position = { epoch: 'e', seq: 4 };
const granted = {
  kind: 'granted',
  position,
  subjects: ['ac_1'],
  nodes: ['ac_1'],
  grant: 'me_1',
  scope: { host: 'h', path: '/a/', methods: null, untilAt: null },
  claims: { sub: 'ac_1' },
};

test('an access answer is read without members that nobody asked for', () => {
  const answer = questions.access.answer.parse({ ...granted, claims: { sub: 'ac_1', admin: true } });
  expect(answer).toEqual(granted);
});

test.each([
  ['lists that are too long', { ...granted, nodes: Array(65).fill('ac_1') }],
  ['an empty node', { ...granted, subjects: [''] }],
  ['a place without an epoch', { ...granted, position: { seq: 4 } }],
  ['an end that is no whole second', { ...granted, scope: { ...granted.scope, untilAt: 1.5 } }],
  ['no claims', { ...granted, claims: undefined }],
])('an access answer with %s is refused', (_, answer) => {
  expect(questions.access.answer.safeParse(answer).success).toBe(false);
});

test('the answer about a password says who else has to wait, or leaves it out', () => {
  const { answer } = questions.password;
  const busy = { kind: 'busy', retryAfterSeconds: 3 };
  expect(answer.parse(busy)).toEqual(busy);
  expect(answer.parse({ ...busy, strangers: { here: 2, everywhere: 0 } })).toMatchObject({ strangers: { here: 2 } });
  expect(answer.safeParse({ ...busy, retryAfterSeconds: '3' }).success).toBe(false);
});

test('lists in questions and reports are bounded', () => {
  const places = Array(maxPlacesPerQuestion + 1).fill({ user: 'u', address: 'a' });
  expect(questions.known.question.safeParse({ places }).success).toBe(false);
  const seen = Array(maxSeenPerReport + 1).fill({ session: 'se_1', device: 'dv_1', member: null, at: 1 });
  expect(reports.seen.shape.safeParse({ edge: 'e1', seen }).success).toBe(false);
  expect(reports.seen.shape.safeParse({ edge: 'e1', seen: seen.slice(1) }).success).toBe(true);
});

test('an edge is named by its slot and, from its first replacement on, by a number', () => {
  expect(['e1', 'e12.3', 'e0', 'e1.0', 'edge', 'e1.2.3'].map(slotOf)).toEqual(['e1', 'e12', null, null, null, null]);
  expect(reports.ready.shape.safeParse({ edge: 'x', listening: [] }).success).toBe(false);
});

test('a private or symmetric key is no assertion key', () => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'a'.repeat(43), kid: 'k', alg: 'EdDSA', use: 'sig' };
  expect(reports.assertionKey.shape.safeParse({ edge: 'e1', jwk }).success).toBe(true);
  expect(reports.assertionKey.shape.safeParse({ edge: 'e1', jwk: { ...jwk, d: 'x' } }).success).toBe(false);
  expect(reports.assertionKey.shape.safeParse({ edge: 'e1', jwk: { ...jwk, kty: 'oct' } }).success).toBe(false);
});

test('decision records are whole lines', () => {
  expect(['{}\n', '{}', '', 7].map(areWholeLines)).toEqual([true, false, false, false]);
});
