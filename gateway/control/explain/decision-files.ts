// Keeps the records of decisions for a day, in files of bounded number and size in data_dir/decisions. Only control writes there:
// edges open no file, they send batches. Records are written in the background and delay no request: a record that does not fit, or cannot be
// written, is dropped and counted. A dropped record costs an explanation, never a decision.
// Records of claims, of requests with a latchkey credential, and of refused strangers go to separate files, so that a flood of refusals,
// which anybody can cause, displaces nothing but refusals.

import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DecisionRecord, recordLine, recordPrefix } from '../../core/decision/verdict/decision-record.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { describeFailure } from '../../store/port/failure-cause.ts';
import { errorCode } from '../../telemetry/error-code.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { DecisionLedger } from '../context/control-context.ts';

interface DecisionFilesOptions {
  /** Absolute path of the folder, which is made when the first record comes. */
  readonly folder: string;
  /** The change log's own time, which names files and decides which are too old, so that no wall clock decides it. */
  readonly clock: { readonly epochSeconds: () => EpochSeconds };
  readonly logger: Pick<Logger, 'warn'>;
  /** Default 16 MiB. */
  readonly maxFileBytes?: number;
  /** How many files hold requests with a latchkey credential; claims and strangers get a quarter of that number each. Default 12. */
  readonly maxFiles?: number;
  /** Default 24 h. */
  readonly keepSeconds?: number;
  /** Default 8 MiB. */
  readonly maxWaitingBytes?: number;
}

const rotateSeconds = 3600;
const readBytes = 1024 * 1024;
const maxFound = 32;
const maxLineBytes = 16 * 1024;
const fileName = /^(\d{12})-(\d{4})\.jsonl$/;

export function openDecisionFiles(options: DecisionFilesOptions): DecisionLedger {
  const { folder, maxFiles = 12 } = options;
  const few = Math.max(2, Math.ceil(maxFiles / 4));
  const known = new DecisionFiles({ ...options, maxFiles });
  const claims = new DecisionFiles({ ...options, folder: join(folder, 'claims'), maxFiles: few });
  const strangers = new DecisionFiles({ ...options, folder: join(folder, 'strangers'), maxFiles: few });
  const all = [known, claims, strangers];
  return {
    appendLines: (lines) => {
      const [ours, theirs]: [string[], string[]] = [[], []];
      for (const line of lines.split('\n')) if (line !== '') (isOfStranger(line) ? theirs : ours).push(line);
      if (ours.length > 0) known.append(`${ours.join('\n')}\n`);
      if (theirs.length > 0) strangers.append(`${theirs.join('\n')}\n`);
    },
    append: (record) => (record.outcome === 'claim' ? claims : known).append(recordLine(record)),
    find: async (requestId) => {
      const found = (await Promise.all(all.map((files) => files.find(requestId)))).flat();
      return found.sort((left, right) => left.at - right.at).slice(0, maxFound);
    },
    droppedBytes: () => all.reduce((sum, { dropped }) => sum + dropped, 0),
    forgetOld: async () => {
      for (const files of all) await files.forgetOld();
    },
    close: async () => {
      for (const files of all) await files.close();
    },
  };
}

/** Matches a refusal of a client without a latchkey credential. JSON escapes the client's texts, so no path of a request can imitate this match. */
function isOfStranger(line: string): boolean {
  return line.includes('"outcome":"deny"') && line.includes('"presented":[]');
}

class DecisionFiles {
  readonly #options: Required<DecisionFilesOptions>;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | null = null;
  #handle: FileHandle | null = null;
  #size = 0;
  #since = 0;
  #count = 0;
  #lastProblem = '';
  dropped = 0;

  constructor(options: DecisionFilesOptions) {
    this.#options = {
      maxFileBytes: 16 * 1024 * 1024,
      maxFiles: 12,
      keepSeconds: 86_400,
      maxWaitingBytes: 8 * 1024 * 1024,
      ...options,
    };
  }

  append(lines: string): void {
    if (this.#waitingBytes + lines.length > this.#options.maxWaitingBytes) {
      this.dropped += lines.length;
      return;
    }
    this.#waiting.push(lines);
    this.#waitingBytes += lines.length;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = null;
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle?.close();
    this.#handle = null;
  }

  async find(requestId: string): Promise<DecisionRecord[]> {
    await this.#writing;
    const found: DecisionRecord[] = [];
    const prefix = Buffer.from(recordPrefix(requestId));
    for (const { path } of await this.#list()) {
      if (found.length >= maxFound) break;
      await findIn(path, prefix, (line) => {
        if (found.length < maxFound) found.push(JSON.parse(line) as DecisionRecord);
      });
    }
    return found;
  }

  async forgetOld(): Promise<void> {
    const { clock, keepSeconds } = this.#options;
    const oldest = clock.epochSeconds() - keepSeconds - rotateSeconds;
    for (const { path, began } of await this.#list()) if (began < oldest) await rm(path, { force: true });
  }

  async #drain(): Promise<void> {
    // Records that come in the same moment go out in one write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join('');
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        const handle = await this.#open();
        await handle.appendFile(text);
        this.#size += Buffer.byteLength(text);
        this.#lastProblem = '';
      } catch (error) {
        this.dropped += text.length;
        await this.#cutBack();
        this.#report(describeFailure(error).words);
      }
    }
  }

  /**
   * Removes the part of a line that a failed write left behind. The file stays in use: on a full disk, a new file for each try would take
   * the place of good files.
   */
  async #cutBack(): Promise<void> {
    try {
      await this.#handle?.truncate(this.#size);
    } catch {
      await this.#handle?.close().catch(() => undefined);
      this.#handle = null;
    }
  }

  async #open(): Promise<FileHandle> {
    const { folder, clock, maxFileBytes } = this.#options;
    const now = clock.epochSeconds();
    if (this.#handle !== null && this.#size < maxFileBytes && now - this.#since < rotateSeconds) return this.#handle;
    await this.#handle?.close();
    this.#handle = null;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#makeRoom();
    this.#handle = await this.#openNext(now);
    this.#size = 0;
    this.#since = now;
    return this.#handle;
  }

  async #openNext(now: EpochSeconds): Promise<FileHandle> {
    for (;;) {
      this.#count = (this.#count + 1) % 10_000;
      const name = `${String(now).padStart(12, '0')}-${String(this.#count).padStart(4, '0')}.jsonl`;
      try {
        return await open(join(this.#options.folder, name), 'ax', 0o600);
      } catch (error) {
        // An earlier control process began in the same second.
        if (errorCode(error) !== 'EEXIST' || this.#count === 0) throw error;
      }
    }
  }

  /** Makes room for one more file, and removes files that are too old. */
  async #makeRoom(): Promise<void> {
    // The last record of a file may be younger than its first by one rotation.
    await this.forgetOld();
    const room = this.#options.maxFiles - 1;
    for (const { path } of (await this.#list()).slice(room)) await rm(path, { force: true });
  }

  /** The files, newest first. */
  async #list(): Promise<{ readonly path: string; readonly began: EpochSeconds }[]> {
    const { folder } = this.#options;
    const names = await readdir(folder).catch(() => []);
    return names
      .filter((name) => fileName.test(name))
      .sort()
      .reverse()
      .map((name) => ({ path: join(folder, name), began: Number(name.slice(0, 12)) }));
  }

  /** Logs a problem once, and not for each batch while the problem lasts. */
  #report(problem: string): void {
    if (problem === this.#lastProblem) return;
    this.#lastProblem = problem;
    this.#options.logger.warn({ folder: this.#options.folder, problem }, 'records of decisions cannot be kept');
  }
}

/** Reads a file in pieces and gives the lines that begin with `prefix`. A file that was removed meanwhile has none. */
async function findIn(path: string, prefix: Buffer, take: (line: string) => void): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch {
    return;
  }
  try {
    const buffer = Buffer.allocUnsafe(readBytes + maxLineBytes);
    let from = 0;
    for (;;) {
      // Each piece overlaps the next by one line, so that no line is cut in two; a line belongs to the piece in which it begins.
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
      const piece = buffer.subarray(0, bytesRead);
      const isLast = bytesRead < buffer.length;
      const end = isLast ? bytesRead : readBytes;
      for (let at = piece.indexOf(prefix); at !== -1 && at < end; at = piece.indexOf(prefix, at + 1)) {
        const startsLine = at === 0 ? true : piece[at - 1] === 0x0a;
        const lineEnd = piece.indexOf(0x0a, at);
        if (startsLine && lineEnd !== -1) take(piece.toString('utf8', at, lineEnd));
      }
      if (isLast) return;
      from += readBytes;
    }
  } finally {
    await handle.close();
  }
}
