// The parts of a control that has no store: passwords are checked in a queue of its own, and guesses are counted in memory alone.

import type { startControl } from '../../gateway/control/node/start-control.ts';
import { makePasswordWork } from '../../gateway/control/proof/password-work.ts';
import { PasswordThrottle } from '../../gateway/control/users-file/password-throttle.ts';
import { epochSeconds, monotonicMs } from '../../gateway/telemetry/clock.ts';

type ControlOptions = Parameters<typeof startControl>[0];

/** Parts for one start of control. @param checksPerSecond  `password_checks_per_second` */
export function withoutStore(checksPerSecond: number): Pick<ControlOptions, 'passwordQueue' | 'passwordThrottle'> {
  const clock = { monotonicMs, epochSeconds };
  return {
    passwordQueue: makePasswordWork({ checksPerSecond: () => checksPerSecond, clock }).queue,
    passwordThrottle: new PasswordThrottle({ store: null, clock }),
  };
}
