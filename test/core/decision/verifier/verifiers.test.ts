// The table of verifiers: which of them a route tries, and in which order.

import { expect, test } from 'vitest';
import { verifierKinds } from '../../../../gateway/core/decision/state/credential-kinds.ts';
import { verifiersFor } from '../../../../gateway/core/decision/verifier/verifiers.ts';

test('a route that accepts one kind tries its verifier, and tries passes wherever an answer becomes a pass', () => {
  expect(verifiersFor(['anyone'])).toEqual(['anyone']);
  expect(verifiersFor(['token'])).toEqual(['token', 'pass', 'other-pass']);
  expect(verifiersFor(['session'])).toEqual(['session']);
  expect(verifiersFor(['password'])).toEqual(['token', 'pass', 'other-pass', 'password']);
  expect(verifiersFor(['member'])).toEqual(['link', 'token', 'pass', 'member', 'other-pass']);
});

test('where any signed-in account may open the route, the access list is not asked; a link token still goes to control', () => {
  expect(verifiersFor(['member', 'session'])).toEqual(['link', 'token', 'pass', 'session', 'other-pass']);
});

test('the order of trial is that of the table, whatever order the configuration has', () => {
  const verifiers = verifiersFor(['anyone', 'password', 'member', 'token']);
  expect(verifiers).toEqual(verifierKinds.filter((kind) => verifiers.includes(kind)));
  expect(verifiers.at(0)).toBe('link');
  expect(verifiers.at(-1)).toBe('anyone');
});
