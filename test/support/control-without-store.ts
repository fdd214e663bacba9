// The parts of a control that has no store: passwords are checked in a queue of its own, guesses are counted in memory alone, nothing
// ever changes, and nobody has access.

import type { ChangeSource } from '../../gateway/control/node/change-feed.ts';
import type { StoreAnswers } from '../../gateway/control/node/edge-questions.ts';
import type { startControl } from '../../gateway/control/node/start-control.ts';
import { makePasswordWork } from '../../gateway/control/proof/password-work.ts';
import { PasswordThrottle } from '../../gateway/control/users-file/password-throttle.ts';
import { epochSeconds, monotonicMs } from '../../gateway/telemetry/clock.ts';

type StoreParts = 'passwordQueue' | 'passwordThrottle' | 'changes' | 'answers';

/** Parts for one start of control. @param checksPerSecond  `password_checks_per_second` */
export function withoutStore(checksPerSecond: number): Pick<Parameters<typeof startControl>[0], StoreParts> {
  const clock = { monotonicMs, epochSeconds };
  return {
    passwordQueue: makePasswordWork({ checksPerSecond: () => checksPerSecond, clock }).queue,
    passwordThrottle: new PasswordThrottle({ store: null, clock }),
    changes: emptyLog,
    answers: noStoreAnswers,
  };
}

/** The answers of a control that has no store: there are no accounts, so nobody has access and no session lives. */
export const noStoreAnswers: StoreAnswers = {
  answerAccess: () => Promise.reject(new Error('this control has no store to ask about access')),
  renewSession: () => Promise.reject(new Error('this control has no store to ask about sessions')),
  recordSeen: () => Promise.resolve(),
  recordDecisions: () => undefined,
};

/** A log in which nothing ever happens. No token of ours is of its epoch. */
const emptyLog: ChangeSource = {
  readChanges: async (after) => ({ kind: 'changes', position: after, changes: [] }),
  readRevocations: async () => ({ position: { epoch: 'none', seq: 0 }, revocations: [] }),
  onWake: () => () => undefined,
};
