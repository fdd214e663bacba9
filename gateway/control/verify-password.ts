// Checks a Basic guess against the users file, off the edges' path and at a bounded rate.
// The password is never logged, kept or compared outside the hash function; a guess that runs is known by a keyed digest.
// Unknown names do the same work as known ones. Answers tell right from wrong and nothing else.

import { createHmac, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type {
  PasswordAnswer,
  PasswordQuestion,
  RenewPasswordAnswer,
  RenewPasswordQuestion,
} from '../config/edge-feed.ts';
import { verifyPassword } from '../store/password-hash.ts';
import { findUser, readUsers, type UserRecord } from '../store/users.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CheckQueue, type QueueOutcome } from './check-queue.ts';
import type { ControlClock } from './control-clock.ts';
import { PasswordThrottle } from './password-throttle.ts';

export interface PasswordVerifierOptions {
  /** The users file of the present configuration; null when there is none, then every guess is wrong. */
  readonly usersFile: () => string | null;
  /** Checks started per second at most; a reload may change it. */
  readonly checksPerSecond: () => number;
  readonly clock: ControlClock;
  readonly logger: Logger;
}

type Users = ReadonlyMap<string, UserRecord>;

const concurrentChecks = 2;
const maxWaitingChecks = 64;
const checkDeadlineMs = 2000;

/** The password check of control. */
export class PasswordVerifier {
  readonly #options: PasswordVerifierOptions;
  readonly #throttle = new PasswordThrottle();
  readonly #queue: CheckQueue;
  readonly #flights = new Map<string, Promise<PasswordAnswer>>();
  readonly #flightKey = randomBytes(32);
  #users: Users = new Map();
  /** Path, inode, size and times of the file that `#users` came from. */
  #signature = '';

  constructor(options: PasswordVerifierOptions) {
    this.#options = options;
    this.#queue = new CheckQueue({
      concurrency: concurrentChecks,
      perSecond: options.checksPerSecond,
      maxWaiting: maxWaitingChecks,
      deadlineMs: checkDeadlineMs,
      clock: options.clock,
    });
  }

  /** Answers one question. The same guess asked again while it runs is checked once: players open several connections. */
  verify(question: PasswordQuestion): Promise<PasswordAnswer> {
    const flight = createHmac('sha256', this.#flightKey)
      .update(JSON.stringify([question.address, question.user, question.password]))
      .digest('base64');
    const running = this.#flights.get(flight);
    if (running !== undefined) return running;
    const answer = this.#check(question).finally(() => this.#flights.delete(flight));
    this.#flights.set(flight, answer);
    return answer;
  }

  /** Whether the record that a pass was issued for is still there, with the password it had. No guess, so no hash. */
  async renew({ sub, credentialId, version }: RenewPasswordQuestion): Promise<RenewPasswordAnswer> {
    const record = findUser(await this.#currentUsers(), sub);
    const stands = record !== null && record.credentialId === credentialId && record.version === version;
    return { kind: stands ? 'stands' : 'gone' };
  }

  /** Turns all waiting guesses away. */
  close(): void {
    this.#queue.close();
  }

  async #check({ user, password, address }: PasswordQuestion): Promise<PasswordAnswer> {
    const { clock } = this.#options;
    const wait = this.#throttle.begin(user, address, clock.monotonicMs());
    if (wait > 0) return { kind: 'busy', retryAfterSeconds: Math.ceil(wait / 1000) };
    let outcome: QueueOutcome<UserRecord | null>;
    try {
      outcome = await this.#queue.run(() => this.#find(user, password));
    } catch (error) {
      this.#throttle.end(user, address, 'unknown', clock.monotonicMs());
      throw error;
    }
    if (outcome.kind === 'busy') {
      this.#throttle.end(user, address, 'unknown', clock.monotonicMs());
      return { kind: 'busy', retryAfterSeconds: 2 };
    }
    this.#throttle.end(user, address, outcome.value === null ? 'wrong' : 'right', clock.monotonicMs());
    if (outcome.value === null) return { kind: 'refused' };
    const { name, credentialId, version } = outcome.value;
    return { kind: 'verified', sub: name, credentialId, credentialVersion: version };
  }

  /** The record whose password this is; null for a wrong password and for an unknown name, after the same work. */
  async #find(user: string, password: string): Promise<UserRecord | null> {
    const record = findUser(await this.#currentUsers(), user);
    return (await verifyPassword(record, password)) ? record : null;
  }

  /** The users as the file has them now; nobody when there is no file or it is broken, which is logged once per state. */
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

async function signatureOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${path} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return `${path} ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}`;
  }
}
