// Hashes and checks passwords few at a time, so that sign-ins cannot take the machine from everything else.
// Whoever asks about an account that is not there costs the same work: the caller hands in null and learns `false`.
// One queue per context, that is per control process.

import { hashPassword, isCostBelowPresent, parsePasswordHash, verifyPassword } from '../../store/password-hash.ts';
import { CheckQueue, type QueueOutcome } from '../check-queue.ts';
import type { ControlContext } from '../control-context.ts';

/** Hashes at once: each takes 19 MiB and a thread for about 20 ms. */
const concurrentHashes = 2;
const maxWaitingHashes = 128;
/** A person waits no longer than this for an answer, then tries again. */
const hashDeadlineMs = 5000;
/** What a busy answer says. */
export const busyRetrySeconds = 2;

export interface PasswordWork {
  /** PHC string of a new password; `busy` when too many wait. */
  readonly hash: (password: string) => Promise<QueueOutcome<string>>;
  /**
   * Whether this is the password, after `admit` said that the guess may be looked at; it runs when the work's turn has come.
   *
   * @param stored  PHC string, or null for an account that is not there or has no password: false, after the same work
   */
  readonly check: <Refused>(
    stored: string | null,
    password: string,
    admit: () => Promise<Refused | null>,
  ) => Promise<QueueOutcome<PasswordCheck | { readonly kind: 'not-admitted'; readonly refused: Refused }>>;
  /** Hash computations since the start: what the equal-work tests count. */
  readonly computations: () => number;
}

export type PasswordCheck =
  | { readonly kind: 'wrong' }
  /** `rehashed`: a new PHC string when the stored one was cheaper than what new ones cost, else null. */
  | { readonly kind: 'right'; readonly rehashed: string | null };

const works = new WeakMap<ControlContext, PasswordWork>();

/** The queue of this control process. */
export function passwordWork(context: ControlContext): PasswordWork {
  const existing = works.get(context);
  if (existing !== undefined) return existing;
  const work = makePasswordWork(context);
  works.set(context, work);
  return work;
}

function makePasswordWork(context: ControlContext): PasswordWork {
  let computations = 0;
  const queue = new CheckQueue({
    concurrency: concurrentHashes,
    perSecond: () => context.config().passwordChecksPerSecond,
    maxWaiting: maxWaitingHashes,
    deadlineMs: hashDeadlineMs,
    clock: context.clock,
  });
  const hash = (password: string): Promise<string> => {
    computations += 1;
    return hashPassword(password);
  };
  return {
    hash: (password) => queue.run(() => hash(password)),
    check: (stored, password, admit) =>
      queue.run(async () => {
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
