// Tells when one of a few files has changed: the configuration and the files that it names.
// The watch polls the files instead of asking the kernel: the file that a path leads to is what counts, so an editor's rename,
// a swapped symlink and a network folder are all the same. A change counts once it has stood still for one look.

import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Config } from '../../config/compiled/config.ts';

interface FileWatchOptions {
  readonly intervalMs: number;
  /** Called when the files differ from those at the last call of `take`. */
  readonly onChange: () => void;
}

/** A watch, which runs until it is closed. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #files: readonly string[] = [];
  /** The state of the files that was acted on. */
  #known = '';
  /** A state that the look before saw for the first time. */
  #pending: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /**
   * Takes the present state of the files as known. Call this before the files are read, so that no change is missed.
   *
   * @param known  the state from an earlier watch over the same files: a difference from it is a change
   */
  take(files: readonly string[], known: string | null = null): void {
    this.#files = files;
    this.#known = known ?? files.map((file) => stateOf(file)).join('\n');
    this.#pending = null;
    if (this.#timer === null) this.#plan();
  }

  /** The state that was acted on, for a watch after this one. */
  get known(): string {
    return this.#known;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #plan(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#look(), this.#options.intervalMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const files = this.#files;
    const seen = (await Promise.all(files.map(stateNow))).join('\n');
    // `take` was called meanwhile, or the watch is closed.
    if (files === this.#files && !this.#isClosed) this.#judge(seen);
    this.#plan();
  }

  #judge(seen: string): void {
    if (seen === this.#known) {
      this.#pending = null;
      return;
    }
    if (seen !== this.#pending) {
      this.#pending = seen;
      return;
    }
    // The state counts as known from here on, good or bad, so a file that cannot be used is reported once.
    this.#known = seen;
    this.#pending = null;
    this.#options.onChange();
  }
}

/**
 * The configuration file and every file that it names for reading at a reload. The users file is not among them: it is read
 * with each password.
 */
export function watchedFiles(file: string, config: Config): string[] {
  const files = new Set([file]);
  collect({ ...config, usersFile: null }, files);
  return [...files];
}

/** Every path of the configuration stands in a member whose name ends in `File`. */
function collect(value: unknown, files: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'string' && name.endsWith('File')) files.add(member);
    else collect(member, files);
  }
}

interface FileState {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function stateOf(file: string): string {
  try {
    return textOf(statSync(file, { bigint: true }));
  } catch {
    return 'away';
  }
}

async function stateNow(file: string): Promise<string> {
  try {
    return textOf(await stat(file, { bigint: true }));
  } catch {
    return 'away';
  }
}

function textOf({ dev, ino, size, mtimeNs, ctimeNs }: FileState): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
