// Looks at the users file now and then, and says which records went or got another password, so that what was given for them
// ends at once and not at its own end. A file that cannot be used says nothing: nobody is ended by half a file.
// It checks no password (verify-password.ts does), and knows no file of before this process.

import { stat } from 'node:fs/promises';
import { readUsers, type UserRecord } from '../../store/users.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface CredentialWatchOptions {
  /** The users file of the present configuration; null when there is none. */
  readonly usersFile: () => string | null;
  /** Ends them; rejects when that could not be done now. */
  readonly revoke: (credentialIds: readonly string[]) => Promise<void>;
  readonly logger: Logger;
  /** Between two looks. Default 500. A change counts once it has stood still for one. */
  readonly intervalMs?: number;
}

/** Credential ids, and the version of each. */
type Versions = ReadonlyMap<string, number>;

const defaultIntervalMs = 500;

/** Looks until it is closed. */
export class CredentialWatch {
  readonly #options: CredentialWatchOptions;
  readonly #timer: NodeJS.Timeout;
  /** Ended, and not revoked yet. */
  readonly #ended = new Set<string>();
  #known: Versions | null = null;
  /** State of the file at the look before, and the one that `#known` is of. */
  #seen = '';
  #taken = '';
  #looking: Promise<void> | null = null;
  #failed = false;

  constructor(options: CredentialWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), options.intervalMs ?? defaultIntervalMs);
    this.#timer.unref();
    void this.look();
  }

  /** Looks now, unless it does so already; resolves when that is done. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const file = this.#options.usersFile();
    if (file !== null) await this.#compare(file);
    if (this.#ended.size === 0) return;
    const ids = [...this.#ended];
    try {
      await this.#options.revoke(ids);
      for (const id of ids) this.#ended.delete(id);
      this.#failed = false;
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'unknown';
      // once: it is tried again at each look
      if (!this.#failed) this.#options.logger.warn({ problem }, 'passes of users who are gone cannot be revoked now');
      this.#failed = true;
    }
  }

  async #compare(file: string): Promise<void> {
    const state = await stateOf(file);
    const stoodStill = state === this.#seen || this.#known === null;
    this.#seen = state;
    if (!stoodStill || state === this.#taken) return;
    this.#taken = state;
    const read = readUsers(file);
    if (read.kind === 'refused') return;
    const now = versionsOf(read.users);
    for (const [id, version] of this.#known ?? []) if (now.get(id) !== version) this.#ended.add(id);
    this.#known = now;
  }
}

function versionsOf(users: ReadonlyMap<string, UserRecord>): Versions {
  return new Map([...users.values()].map(({ credentialId, version }) => [credentialId, version]));
}

async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return `${file} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return `${file} away`;
  }
}
