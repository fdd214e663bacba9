// Questions on their way to control: as many as are allowed, one for equal ones, and none whose answer is somebody else's.

import { expect, test } from 'vitest';
import type { AccessAnswer } from '../../gateway/core/decision/access.ts';
import { AccessCache } from '../../gateway/core/decision/access-cache.ts';
import type { ControlPort } from '../../gateway/edge/control-questions.ts';
import { Lookups } from '../../gateway/edge/lookups.ts';
import { AccessMetrics } from '../../gateway/telemetry/access-metrics.ts';

const holder = { account: 'ac_1', session: 'se_1', device: 'dv_1', host: 'h' };
const none: AccessAnswer = { kind: 'none', position: { epoch: 'e', seq: 0 }, subjects: ['ac_1'] };

/** Lookups at a control whose answers the test gives. */
function started() {
  const asked: { readonly path: string; readonly settle: (answer: AccessAnswer | { kind: 'away' }) => void }[] = [];
  const unused = () => Promise.reject(new Error('not asked here'));
  const control: ControlPort = {
    askAccess: ({ path }) => new Promise((settle) => asked.push({ path, settle })),
    askPassword: unused,
    renewPassword: unused,
    renewSession: unused,
    reportSeen: unused,
  };
  const cache = new AccessCache({ entries: 1000, bytes: 1_000_000 });
  cache.changed({ epoch: 'e', seq: 0 }, null);
  return { asked, cache, lookups: new Lookups({ control, cache, metrics: new AccessMetrics(), now: () => 0 }) };
}

test('256 are on their way at most; the next one has no answer, and equal ones wait with the first', async () => {
  const { asked, lookups } = started();
  const waiting = Array.from({ length: 256 }, (_, number) => lookups.access(holder, `/${number}`));
  expect(await lookups.access(holder, '/more')).toEqual({ kind: 'away' });
  const equal = lookups.access(holder, '/7');
  expect(asked).toHaveLength(256);
  for (const { settle } of asked) settle(none);
  expect(await Promise.all([...waiting, equal])).toEqual(Array(257).fill(none));
  const later = lookups.access(holder, '/more');
  asked.at(-1)?.settle(none);
  expect(await later).toEqual(none);
});

test('accounts, sessions, devices, hosts and paths each have a question of their own', () => {
  const { asked, lookups } = started();
  void lookups.access(holder, '/a');
  for (const other of [{ account: 'ac_2' }, { session: 'se_2' }, { device: 'dv_2' }, { host: 'h2' }]) {
    void lookups.access({ ...holder, ...other }, '/a');
  }
  void lookups.access(holder, '/b');
  expect(asked).toHaveLength(6);
});

test('no answer is nobody’s verdict: the next question is asked', async () => {
  const { asked, cache, lookups } = started();
  const first = lookups.access(holder, '/a');
  asked[0]?.settle({ kind: 'away' });
  expect(await first).toEqual({ kind: 'away' });
  expect(cache.find('ac_1', 'h', '/a', 0)).toBeNull();
  const second = lookups.access(holder, '/a');
  asked[1]?.settle(none);
  expect(await second).toEqual(none);
  expect(cache.find('ac_1', 'h', '/a', 0)).toEqual(none);
});

test('changes that overtake every answer leave it without one', async () => {
  const { asked, cache, lookups } = started();
  const answer = lookups.access(holder, '/a');
  for (const seq of [1, 2]) {
    await expect.poll(() => asked.length).toBe(seq);
    cache.changed({ epoch: 'e', seq }, [{ kind: 'touch', node: 'ac_1', seq, at: 0 }]);
    asked[seq - 1]?.settle({ ...none, position: { epoch: 'e', seq: seq - 1 } });
  }
  expect(await answer).toEqual({ kind: 'away' });
  expect(asked).toHaveLength(2);
});
