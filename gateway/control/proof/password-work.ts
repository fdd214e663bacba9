// Hashes and checks passwords few at a time, so that sign-ins cannot take the processor from all other work.
// An unknown account costs the same work: the caller hands in null and gets `wrong`.
// One queue for each control process, which the context holds; the users file is checked in the same one (verify-password.ts).

import { hashPassword, isCostBelowPresent, parsePasswordHash, verifyPassword } from '../../store/seal/password-hash.ts';
import type { ControlClock } from '../context/control-clock.ts';
import type { PasswordWork } from '../context/password-work.ts';
import { CheckQueue } from './check-queue.ts';

/** Hashes at once: each takes 19 MiB and one of four threads, which files and names are read on too, for about 20 ms. */
const concurrentHashes = 2;
/** Each waiting check holds a connection to control: an edge has 128 connections for pages, and 32 for guesses. */
const maxWaitingHashes = 16;
const maxKnownWaiting = 12;
const maxWaitingPerSource = 4;
/** No check waits longer than this; a check that is sure to wait longer is turned away at once. */
const hashDeadlineMs = 2000;
/** The wait that a busy answer names when no better estimate is known. */
export const busyRetrySeconds = 2;

interface PasswordWorkOptions {
  /** `password_checks_per_second`, asked at each start because a reload may change it. */
  readonly checksPerSecond: () => number;
  readonly clock: ControlClock;
}

/** Makes the queue of a control process. */
export function makePasswordWork({ checksPerSecond, clock }: PasswordWorkOptions): PasswordWork {
  let computations = 0;
  const queue = new CheckQueue({
    concurrency: concurrentHashes,
    perSecond: checksPerSecond,
    maxWaiting: maxWaitingHashes,
    maxKnownWaiting,
    maxWaitingPerSource,
    deadlineMs: hashDeadlineMs,
    clock,
  });
  const hash = (password: string): Promise<string> => {
    computations += 1;
    return hashPassword(password);
  };
  return {
    queue,
    hash: (password, account) => queue.run({ name: account, isKnown: true }, () => hash(password)),
    check: (source, stored, password, admit) =>
      queue.run(source, async () => {
        const refused = await admit();
        if (refused !== null) return { kind: 'not-admitted', refused };
        const record = stored === null ? null : parsePasswordHash(stored);
        computations += 1;
        const isRight = await verifyPassword(record === null ? null : { password: record }, password);
        if (!isRight || record === null) return { kind: 'wrong' };
        return { kind: 'right', rehashed: isCostBelowPresent(record) ? await hash(password) : null };
      }),
    computations: () => computations,
  };
}
