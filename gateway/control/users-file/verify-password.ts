// Checks a Basic guess against the users file, off the edges' path and at a bounded rate.
// The password is never logged, kept or compared outside the hash function; a guess that runs is known by a keyed digest.
// Unknown names do the same work as known ones. Answers tell right from wrong and nothing else.

import { createHmac, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { clientNetworks } from '../../core/token/client-network.ts';
import { findUser, readUsers, type UserRecord } from '../../store/files/users.ts';
import { verifyPassword } from '../../store/seal/password-hash.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type {
  KnownAnswer,
  KnownQuestion,
  PasswordAnswer,
  PasswordQuestion,
  RenewPasswordAnswer,
  RenewPasswordQuestion,
  StrangersWait,
} from '../../wire/questions.ts';
import type { ControlClock } from '../context/control-clock.ts';
import type { WorkQueue } from '../context/password-work.ts';
import type { PasswordThrottle } from './password-throttle.ts';

interface PasswordVerifierOptions {
  /** The users file of the present configuration; null when there is none, then every guess is wrong. */
  readonly usersFile: () => string | null;
  readonly clock: ControlClock;
  readonly logger: Logger;
  /** Shared with all other work on passwords: `ControlContext.passwords`. */
  readonly queue: WorkQueue;
  /** What slows guessing. */
  readonly throttle: PasswordThrottle;
}

/** For how many seconds a busy answer holds that was given because a line of the queue had no place. */
const lineSeconds = 1;

type Users = ReadonlyMap<string, UserRecord>;

/** The password check of control. */
export class PasswordVerifier {
  readonly #options: PasswordVerifierOptions;
  readonly #throttle: PasswordThrottle;
  readonly #queue: WorkQueue;
  readonly #flights = new Map<string, Promise<PasswordAnswer>>();
  readonly #flightKey = randomBytes(32);
  #users: Users = new Map();
  /** Path, inode, size and times of the file that `#users` came from. */
  #signature = '';

  constructor(options: PasswordVerifierOptions) {
    this.#options = options;
    this.#throttle = options.throttle;
    this.#queue = options.queue;
  }

  /** Answers one question. The same guess asked again while it runs is checked once: players open several connections. */
  verify(question: PasswordQuestion): Promise<PasswordAnswer> {
    const flight = this.#digest(question.address, question.user, question.password);
    const running = this.#flights.get(flight);
    if (running !== undefined) return running;
    const answer = this.#check(question).finally(() => this.#flights.delete(flight));
    this.#flights.set(flight, answer);
    return answer;
  }

  /** Which of these names gave the right password from their place lately. This is no guess, and nothing is counted. */
  async knownPlaces({ places }: KnownQuestion): Promise<KnownAnswer> {
    return { known: await this.#throttle.areKnown(places) };
  }

  /** Whether the record that a pass was issued for is still there, with the password it had. No guess, so no hash. */
  async renew({ sub, userRecordId, version }: RenewPasswordQuestion): Promise<RenewPasswordAnswer> {
    const record = findUser(await this.#currentUsers(), sub);
    const stands = record !== null && record.userRecordId === userRecordId && record.version === version;
    return { kind: stands ? 'stands' : 'gone' };
  }

  /** Turns all waiting guesses away. */
  close(): void {
    this.#queue.close();
  }

  /**
   * Order: the wait is asked for first and counts nothing; then the turn is awaited; then the guess is counted; then the hash is
   * computed. So what is refused costs no hash, and what is hashed was counted.
   */
  async #check({ user, password, address }: PasswordQuestion): Promise<PasswordAnswer> {
    const { waitSeconds, isKnown, strangers } = await this.#throttle.look(user, address);
    if (waitSeconds > 0) return busy(waitSeconds, isKnown ? null : strangers);
    // Guesses from a place that gave the right password before wait behind no stranger's.
    const { source } = clientNetworks(address);
    const turn = { name: isKnown ? this.#digest(user, source) : source, isKnown };
    const outcome = await this.#queue.run(turn, () => this.#guess(user, password, address));
    if (outcome.kind === 'done') return outcome.value;
    // The line that had no place is that of the source.
    const line: StrangersWait = { here: lineSeconds, everywhere: this.#queue.isOpenToStrangers() ? 0 : lineSeconds };
    return busy(outcome.retryAfterSeconds, isKnown ? null : line);
  }

  async #guess(user: string, password: string, address: string): Promise<PasswordAnswer> {
    const taken = await this.#throttle.take(user, address);
    if ('waitSeconds' in taken) return { kind: 'busy', retryAfterSeconds: taken.waitSeconds };
    let record: UserRecord | null;
    try {
      record = await this.#find(user, password);
    } catch (error) {
      await this.#throttle.settle(taken, 'not-looked-at');
      throw error;
    }
    await this.#throttle.settle(taken, record === null ? 'wrong' : 'right');
    if (record === null) return { kind: 'refused' };
    const { name, userRecordId, version } = record;
    return { kind: 'verified', sub: name, userRecordId, userRecordVersion: version };
  }

  /** Keyed, so that the digests in memory say nothing about names and passwords. */
  #digest(...parts: readonly string[]): string {
    return createHmac('sha256', this.#flightKey).update(JSON.stringify(parts)).digest('base64');
  }

  /** The record whose password this is; null for a wrong password and for an unknown name, after the same work. */
  async #find(user: string, password: string): Promise<UserRecord | null> {
    const record = findUser(await this.#currentUsers(), user);
    return (await verifyPassword(record, password)) ? record : null;
  }

  /** The users as the file has them now; none when there is no file or it is broken, which is logged once per state. */
  async #currentUsers(): Promise<Users> {
    const path = this.#options.usersFile();
    if (path === null) return new Map();
    const signature = await signatureOf(path);
    if (signature === this.#signature) return this.#users;
    const read = readUsers(path);
    if (read.kind === 'refused') {
      const { problem, hint } = read;
      this.#options.logger.error({ problem, hint }, 'the users file cannot be used; every password is refused');
    }
    this.#signature = signature;
    this.#users = read.kind === 'read' ? read.users : new Map();
    return this.#users;
  }
}

/** @param strangers  how long other strangers would wait as well; null when this says nothing about them */
function busy(retryAfterSeconds: number, strangers: StrangersWait | null): PasswordAnswer {
  const isForOthers = strangers !== null && Math.max(strangers.here, strangers.everywhere) > 0;
  return { kind: 'busy', retryAfterSeconds, ...(isForOthers ? { strangers } : {}) };
}

async function signatureOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${path} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return `${path} ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}`;
  }
}
