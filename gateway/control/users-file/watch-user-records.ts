// Polls the users file, and tells which records were removed or got another password, so that the passes for these records
// end at once and not at their own expiry. A file that cannot be used ends no record.
// The state that was acted on is kept in the data folder, so a file that changed while nothing ran is a change at the next start.
// Passwords are checked in verify-password.ts.

import { stat } from 'node:fs/promises';
import type { UserRecordMemory, UserRecordVersions } from '../../store/files/known-user-records.ts';
import { readUsers, type UserRecord } from '../../store/files/users.ts';
import type { Logger } from '../../telemetry/logger.ts';

interface UserRecordWatchOptions {
  /** The users file of the present configuration; null when there is none, and then there are no users. */
  readonly usersFile: () => string | null;
  readonly memory: UserRecordMemory;
  /** Ends the records' passes; rejects when that could not be done now. */
  readonly revoke: (userRecordIds: readonly string[]) => Promise<void>;
  readonly logger: Logger;
  /** Time between two looks. Default 500. A change counts once the file has stood still for one interval. */
  readonly intervalMs?: number;
}

const defaultIntervalMs = 500;

/** Watches the users file until it is closed. */
export class UserRecordWatch {
  readonly #options: UserRecordWatchOptions;
  readonly #timer: NodeJS.Timeout;
  /** Records that ended and are not revoked yet. */
  readonly #ended = new Set<string>();
  #known: UserRecordVersions | null = null;
  /** The records that the memory file holds. */
  #kept: UserRecordVersions | null = null;
  /** State of the file at the look before, and the one that `#known` is of. */
  #seen = '';
  #taken = '';
  #looking: Promise<void> | null = null;
  /** Failures that were logged already, since each is logged once. */
  #failed: 'revoke' | 'keep' | null = null;

  constructor(options: UserRecordWatchOptions) {
    this.#options = options;
    const kept = options.memory.read();
    if (kept !== null && 'kind' in kept) {
      const { problem } = kept;
      options.logger.warn({ problem }, 'whoever left the users file while nothing ran keeps a pass until it ends');
    } else {
      this.#kept = kept;
      this.#known = kept;
    }
    this.#timer = setInterval(() => void this.look(), options.intervalMs ?? defaultIntervalMs);
    this.#timer.unref();
    void this.look();
  }

  /** Looks now, unless a look runs already; resolves when the look is done. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Ends the watch; resolves when no look runs any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const file = this.#options.usersFile();
    if (file !== null) await this.#compare(file);
    else this.#compareWithNobody();
    const known = this.#known;
    const ids = [...this.#ended];
    let step: 'revoke' | 'keep' = 'revoke';
    try {
      if (ids.length > 0) await this.#options.revoke(ids);
      for (const id of ids) this.#ended.delete(id);
      step = 'keep';
      // Written only once the records are ended: a process that stops before finds them again at the next start.
      if (known !== null && known !== this.#kept) this.#options.memory.write(known);
      this.#kept = known;
      this.#failed = null;
    } catch (error) {
      this.#report(step, error);
    }
  }

  /** Logged once, since it is tried again at each look. */
  #report(step: 'revoke' | 'keep', error: unknown): void {
    if (this.#failed === step) return;
    this.#failed = step;
    const problem = error instanceof Error ? error.message : 'unknown';
    const text = step === 'revoke' ? 'passes of users who are gone cannot be revoked now' : 'the users cannot be kept';
    this.#options.logger.warn({ problem }, text);
  }

  async #compare(file: string): Promise<void> {
    const state = await stateOf(file);
    const stoodStill = state === this.#seen || this.#known === null;
    this.#seen = state;
    if (!stoodStill || state === this.#taken) return;
    this.#taken = state;
    const read = readUsers(file);
    if (read.kind === 'refused') return;
    this.#take(versionsOf(read.users));
  }

  #compareWithNobody(): void {
    this.#taken = '';
    if (this.#known !== null) this.#take(new Map());
  }

  #take(now: UserRecordVersions): void {
    const known = [...(this.#known ?? [])];
    const ended = known.filter(([id, version]) => now.get(id) !== version);
    const isSame = this.#known !== null && ended.length === 0 && now.size === known.length;
    if (isSame) return;
    for (const [id] of ended) this.#ended.add(id);
    this.#known = now;
  }
}

function versionsOf(users: ReadonlyMap<string, UserRecord>): UserRecordVersions {
  return new Map([...users.values()].map(({ userRecordId, version }) => [userRecordId, version]));
}

async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return `${file} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return `${file} away`;
  }
}
