// The one queue for the work that passwords cost, as accounts and the users file share it.

import { expect, test, vi } from 'vitest';
import { makePasswordWork } from '../../../gateway/control/proof/password-work.ts';
import { PasswordThrottle } from '../../../gateway/control/users-file/password-throttle.ts';
import { PasswordVerifier } from '../../../gateway/control/users-file/verify-password.ts';
import { silent } from '../../support/store/stores.ts';

test('password_checks_per_second bounds the users file and accounts together', async () => {
  // The clock stands, so no second ever passes.
  const clock = { monotonicMs: () => 0, epochSeconds: () => 1_800_000_000 };
  const work = makePasswordWork({ checksPerSecond: () => 3, clock });
  const usersFile = new PasswordVerifier({
    usersFile: () => null,
    clock,
    logger: silent,
    queue: work.queue,
    throttle: new PasswordThrottle({ store: null, clock }),
  });
  const question = { route: 'vod', user: 'alice', password: 'wrong' };
  let looked = 0;
  const all = [
    ...[1, 2].map((at) => usersFile.verify({ ...question, address: `192.0.2.${at}` })),
    ...[3, 4, 5].map((at) => work.check({ name: `192.0.2.${at}`, isKnown: false }, null, 'wrong', async () => null)),
  ];
  for (const each of all) void each.then(({ kind }) => (looked += kind === 'busy' ? 0 : 1));
  await vi.waitFor(() => expect([looked, work.queue.waiting]).toEqual([3, 2]), { timeout: 10_000 });
  usersFile.close();
  expect((await Promise.all(all)).filter(({ kind }) => kind === 'busy')).toHaveLength(2);
  expect(looked).toBe(3);
});
