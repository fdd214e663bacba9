// Hashes and checks passwords few at a time, so that sign-ins cannot take the machine from everything else.
// Whoever asks about an account that is not there costs the same work: the caller hands in null and learns `false`.
// One queue per context, that is per control process; the users file is checked in the same one (verify-password.ts).

import { hashPassword, isCostBelowPresent, parsePasswordHash, verifyPassword } from '../../store/seal/password-hash.ts';
import type { ControlClock } from '../context/control-clock.ts';
import type { ControlContext } from '../context/control-context.ts';
import { CheckQueue, type CheckSource, type QueueOutcome } from './check-queue.ts';

/** Hashes at once: each takes 19 MiB and one of four threads, which files and names are read on too, for about 20 ms. */
const concurrentHashes = 2;
/** Each holds a connection to control: an edge has 128 of those that pages come by, and 32 for guesses. */
const maxWaitingHashes = 16;
const maxKnownWaiting = 12;
const maxWaitingPerSource = 4;
/** Nobody waits longer than this; who is sure to is told so at once. */
const hashDeadlineMs = 2000;
/** What a busy answer says where nothing else is known. */
export const busyRetrySeconds = 2;

/** The one queue of a control process for the work that passwords cost. */
export function makePasswordQueue(perSecond: () => number, clock: ControlClock): CheckQueue {
  return new CheckQueue({
    concurrency: concurrentHashes,
    perSecond,
    maxWaiting: maxWaitingHashes,
    maxKnownWaiting,
    maxWaitingPerSource,
    deadlineMs: hashDeadlineMs,
    clock,
  });
}

interface PasswordWork {
  readonly queue: CheckQueue;
  /**
   * PHC string of a new password; `busy` when too many wait.
   *
   * @param account  id of whose it is to be, who has proved a right to it: a code, the password before, or an administrator's word
   */
  readonly hash: (password: string, account: string) => Promise<QueueOutcome<string>>;
  /**
   * Whether this is the password, after `admit` said that the guess may be looked at; it runs when the work's turn has come.
   *
   * @param source  whose guesses wait for each other
   * @param stored  PHC string, or null for an account that is not there or has no password: false, after the same work
   */
  readonly check: <Refused>(
    source: CheckSource,
    stored: string | null,
    password: string,
    admit: () => Promise<Refused | null>,
  ) => Promise<QueueOutcome<PasswordCheck | { readonly kind: 'not-admitted'; readonly refused: Refused }>>;
  /** Hash computations since the start: what the equal-work tests count. */
  readonly computations: () => number;
}

type PasswordCheck =
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
  const queue = makePasswordQueue(() => context.config().passwordChecksPerSecond, context.clock);
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
