// Keeps the records of decisions for a day, in files of bounded number and size in data_dir/decisions. Only control writes there:
// edges open no file, they send batches. Writing is in the background and never in anybody's way: what does not fit, or cannot be
// written, is dropped and counted. What is lost by it is an explanation, never a decision.
// Claims, what people with something of ours did, and refusals of strangers have files of their own: so that a flood of refusals,
// which anybody can make, takes the place of nothing but refusals.

import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DecisionRecord, recordLine, recordPrefix } from '../../core/decision/verdict/decision-record.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { describeFailure } from '../../store/port/failure-cause.ts';
import { errorCode } from '../../telemetry/error-code.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { DecisionLedger } from '../context/control-context.ts';

interface DecisionFilesOptions {
  /** Absolute; made when the first record comes. */
  readonly folder: string;
  /** Names files and says what is too old; the log's own time, so that no wall clock does. */
  readonly clock: { readonly epochSeconds: () => EpochSeconds };
  readonly logger: Pick<Logger, 'warn'>;
  /** Default 16 MiB. */
  readonly maxFileBytes?: number;
  /** Of what people with something of ours did; a quarter of it for claims, and for strangers. Default 12. */
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

/** A refusal of somebody who brought nothing of ours. JSON escapes what a client sent, so no path says this in its place. */
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
    // what comes in the same moment goes out in one write
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
   * Takes away what a failed write left of a line. The file stays the one in use: on a full disk a new one for each try would take
   * the place of files that are good.
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
        // a control before this one began in the same second
        if (errorCode(error) !== 'EEXIST' || this.#count === 0) throw error;
      }
    }
  }

  /** Makes room for one more, and takes what is too old. */
  async #makeRoom(): Promise<void> {
    // its last record is as young as a rotation after its first
    await this.forgetOld();
    const room = this.#options.maxFiles - 1;
    for (const { path } of (await this.#list()).slice(room)) await rm(path, { force: true });
  }

  /** Newest first. */
  async #list(): Promise<{ readonly path: string; readonly began: EpochSeconds }[]> {
    const { folder } = this.#options;
    const names = await readdir(folder).catch(() => []);
    return names
      .filter((name) => fileName.test(name))
      .sort()
      .reverse()
      .map((name) => ({ path: join(folder, name), began: Number(name.slice(0, 12)) }));
  }

  /** Once, not for each batch for as long as it lasts. */
  #report(problem: string): void {
    if (problem === this.#lastProblem) return;
    this.#lastProblem = problem;
    this.#options.logger.warn({ folder: this.#options.folder, problem }, 'records of decisions cannot be kept');
  }
}

/** Reads a file in pieces and gives the lines that begin with `prefix`. A file that went meanwhile has none. */
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
      // each piece overlaps the next by one line, so that none is cut in two; a line belongs to the piece it begins in
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
