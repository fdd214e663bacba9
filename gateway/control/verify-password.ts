// Checks a Basic guess against the users file, off the edges' path and at a bounded rate.
// The password is never logged, kept or compared outside the hash function; a guess that runs is known by a keyed digest.
// Unknown names do the same work as known ones. Answers tell right from wrong and nothing else.

import { createHmac, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import type {
  PasswordAnswer,
  PasswordQuestion,
  RenewPasswordAnswer,
  RenewPasswordQuestion,
} from '../config/edge-feed.ts';
import { verifyPassword } from '../store/password-hash.ts';
import { findUser, readUsers, type UserRecord } from '../store/users.ts';
import type { Logger } from '../telemetry/logger.ts';
import { addressBlock } from './accounts/address-block.ts';
import { makePasswordQueue } from './accounts/password-work.ts';
import type { CheckQueue, CheckSource, QueueOutcome } from './check-queue.ts';
import type { ControlClock } from './control-clock.ts';
import { PasswordThrottle } from './password-throttle.ts';

export interface PasswordVerifierOptions {
  /** The users file of the present configuration; null when there is none, then every guess is wrong. */
  readonly usersFile: () => string | null;
  /** Checks started per second at most; a reload may change it. */
  readonly checksPerSecond: () => number;
  readonly clock: ControlClock;
  readonly logger: Logger;
  /** Shared with whatever else hashes passwords. Default: one of its own. */
  readonly queue?: CheckQueue;
}

type Users = ReadonlyMap<string, UserRecord>;

/** Who gave a right password lately, by name and network: their guesses wait behind nobody else's. */
const maxKnownSources = 10_000;

/** The password check of control. */
export class PasswordVerifier {
  readonly #options: PasswordVerifierOptions;
  readonly #throttle = new PasswordThrottle();
  readonly #queue: CheckQueue;
  readonly #flights = new Map<string, Promise<PasswordAnswer>>();
  readonly #flightKey = randomBytes(32);
  readonly #knownSources = new LRUCache<string, true>({ max: maxKnownSources });
  #users: Users = new Map();
  /** Path, inode, size and times of the file that `#users` came from. */
  #signature = '';

  constructor(options: PasswordVerifierOptions) {
    this.#options = options;
    this.#queue = options.queue ?? makePasswordQueue(options.checksPerSecond, options.clock);
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
      outcome = await this.#queue.run(this.#sourceOf(user, address), () => this.#find(user, password));
    } catch (error) {
      this.#throttle.end(user, address, 'unknown', clock.monotonicMs());
      throw error;
    }
    if (outcome.kind === 'busy') {
      this.#throttle.end(user, address, 'unknown', clock.monotonicMs());
      return outcome;
    }
    this.#throttle.end(user, address, outcome.value === null ? 'wrong' : 'right', clock.monotonicMs());
    if (outcome.value === null) return { kind: 'refused' };
    const { name, credentialId, version } = outcome.value;
    this.#knownSources.set(this.#digest(user, addressBlock(address)), true);
    return { kind: 'verified', sub: name, credentialId, credentialVersion: version };
  }

  #sourceOf(user: string, address: string): CheckSource {
    const network = addressBlock(address);
    const known = this.#digest(user, network);
    return this.#knownSources.has(known) ? { name: known, isKnown: true } : { name: network, isKnown: false };
  }

  /** Keyed, so that what is kept says nothing about who guessed what. */
  #digest(...parts: readonly string[]): string {
    return createHmac('sha256', this.#flightKey).update(JSON.stringify(parts)).digest('base64');
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
