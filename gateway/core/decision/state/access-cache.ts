// Access answers of control, kept until one of their subjects changes. Pure: a data structure without a clock.
// A granted answer counts for every path in its scope, for its account on its host; a refusal counts for its own path alone.
// An answer that was on its way while one of its subjects changed is neither kept nor used (gateway/RULES.md
// "Tokens and caches"): it may say what was true before the change.

import type { Change, LogPosition } from '../../model/change.ts';
import { covers } from '../../model/path.ts';
import type { EpochSeconds } from '../../model/time.ts';
import type { AccessAnswer } from './access.ts';

interface AccessCacheLimits {
  readonly entries: number;
  /** The most bytes of the texts that entries hold, estimated. */
  readonly bytes: number;
}

interface AccessSubject {
  readonly account: string;
  readonly host: string;
  readonly path: string;
}

/** A question that control has not answered yet: made by `begin`, given back to `finish`. */
interface AccessFlight {
  readonly begunAt: LogPosition | null;
  readonly generation: number;
}

interface Entry {
  /** Account and host, from `bucketOf`. */
  readonly bucket: string;
  /** The path of the granted scope, or the single refused path. */
  readonly path: string;
  readonly answer: AccessAnswer;
  readonly weight: number;
}

/** The most scopes of one account on one host; a further one replaces the oldest. A look-up goes through all of them. */
const maxScopes = 64;
/** The most changed subjects that are remembered while questions are on their way. With more, all answers on their way are refused. */
const maxTouched = 4096;
/** Estimated bytes of an entry and its places in the maps, without its texts. */
const entryBytes = 512;

export class AccessCache {
  readonly #limits: AccessCacheLimits;
  readonly #granted = new Map<string, Map<string, Entry>>();
  readonly #refused = new Map<string, Entry>();
  readonly #bySubject = new Map<string, Set<Entry>>();
  /** All entries, in the order of their last use. */
  readonly #entries = new Set<Entry>();
  #bytes = 0;
  #position: LogPosition | null = null;
  #flights = 0;
  /** Counts how often the whole cache was cleared. */
  #generation = 0;
  /** The place of the last change of each subject, since the oldest unanswered question began. */
  readonly #touched = new Map<string, number>();
  /** Answers that control read before this place of the log are refused. */
  #floor = 0;

  constructor(limits: AccessCacheLimits) {
    this.#limits = limits;
  }

  /** The place of the log up to which the cache knows all changes; null before the first. */
  get position(): LogPosition | null {
    return this.#position;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The answer for this account, host and path; null when control has to be asked. Its methods are NOT looked at. */
  find(account: string, host: string, path: string, now: EpochSeconds): AccessAnswer | null {
    const bucket = bucketOf(account, host);
    let best: Entry | null = null;
    for (const entry of this.#granted.get(bucket)?.values() ?? []) {
      if (covers(entry.path, path) && (best === null || entry.path.length > best.path.length)) best = entry;
    }
    best ??= this.#refused.get(refusalKey(bucket, path)) ?? null;
    if (best === null) return null;
    if (hasEnded(best.answer, now)) {
      this.#drop(best);
      return null;
    }
    this.#entries.delete(best);
    this.#entries.add(best);
    return best.answer;
  }

  /** Call this before control is asked, and `finish` afterwards, whether or not control answers. */
  begin(): AccessFlight {
    this.#flights++;
    return { begunAt: this.#position, generation: this.#generation };
  }

  /**
   * Takes the answer to a question.
   *
   * @param answer  null when control did not answer
   * @returns whether the answer still holds; false: control has to be asked again
   */
  finish(flight: AccessFlight, asked: AccessSubject, answer: AccessAnswer | null, now: EpochSeconds): boolean {
    const holds = answer !== null && this.#holds(flight, answer);
    this.#flights--;
    if (this.#flights === 0) {
      this.#touched.clear();
      this.#floor = 0;
    }
    if (holds && !hasEnded(answer, now)) this.#store(asked, answer);
    return holds;
  }

  /**
   * Takes changes of the log.
   *
   * @param position  the place of the log up to which all changes are known now
   * @param changes   null when some changes are not known: then all answers are forgotten
   */
  changed(position: LogPosition, changes: readonly Change[] | null): void {
    const isOtherEpoch = position.epoch !== this.#position?.epoch;
    this.#position = position;
    if (changes === null || isOtherEpoch) {
      this.clear();
      return;
    }
    for (const { kind, node, seq } of changes) {
      if (kind !== 'touch' && kind !== 'revoke') continue;
      for (const entry of this.#bySubject.get(node) ?? []) {
        if (entry.answer.position.seq < seq) this.#drop(entry);
      }
      if (this.#flights > 0) this.#touch(node, seq);
    }
  }

  /** Forgets all answers, and refuses those on their way. Called when the configuration that they were about was replaced. */
  clear(): void {
    this.#granted.clear();
    this.#refused.clear();
    this.#bySubject.clear();
    this.#entries.clear();
    this.#bytes = 0;
    this.#generation++;
  }

  #holds({ begunAt, generation }: AccessFlight, answer: AccessAnswer): boolean {
    const { epoch, seq } = answer.position;
    if (generation !== this.#generation) return false;
    if (this.#position === null || this.#position.epoch !== epoch || seq < this.#floor) return false;
    // control read the answer at a place before the one known when the question began, and changes from before that are not remembered
    if (begunAt !== null && begunAt.epoch === epoch && seq < begunAt.seq) return false;
    return subjectsOf(answer).every((subject) => (this.#touched.get(subject) ?? 0) <= seq);
  }

  #touch(node: string, seq: number): void {
    if (this.#touched.size >= maxTouched && !this.#touched.has(node)) {
      this.#touched.clear();
      this.#floor = seq;
    }
    this.#touched.set(node, seq);
  }

  #store(asked: AccessSubject, answer: AccessAnswer): void {
    const bucket = bucketOf(asked.account, asked.host);
    const path = answer.kind === 'granted' ? answer.scope.path : asked.path;
    const known =
      answer.kind === 'granted'
        ? this.#granted.get(bucket)?.get(path)
        : this.#refused.get(refusalKey(bucket, asked.path));
    if (known !== undefined) {
      // of two answers that were on their way at the same time, the newer one stays
      if (known.answer.position.seq > answer.position.seq) return;
      this.#drop(known);
    }
    const weight = weightOf(bucket, path, answer);
    if (weight > this.#limits.bytes || this.#limits.entries === 0) return;
    const entry: Entry = { bucket, path, answer, weight };
    if (answer.kind === 'granted') this.#addScope(entry);
    else this.#refused.set(refusalKey(bucket, path), entry);
    this.#entries.add(entry);
    this.#bytes += weight;
    for (const subject of subjectsOf(answer)) {
      const of = this.#bySubject.get(subject);
      if (of === undefined) this.#bySubject.set(subject, new Set([entry]));
      else of.add(entry);
    }
    for (const oldest of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break;
      this.#drop(oldest);
    }
  }

  #addScope(entry: Entry): void {
    const scopes = this.#granted.get(entry.bucket) ?? new Map<string, Entry>();
    const [oldest] = scopes.values();
    if (scopes.size >= maxScopes && oldest !== undefined) this.#drop(oldest);
    scopes.set(entry.path, entry);
    this.#granted.set(entry.bucket, scopes);
  }

  #drop(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    this.#bytes -= entry.weight;
    const { bucket, path, answer } = entry;
    if (answer.kind === 'granted') {
      const scopes = this.#granted.get(bucket);
      scopes?.delete(path);
      if (scopes?.size === 0) this.#granted.delete(bucket);
    } else this.#refused.delete(refusalKey(bucket, path));
    for (const subject of subjectsOf(answer)) {
      const of = this.#bySubject.get(subject);
      of?.delete(entry);
      if (of?.size === 0) this.#bySubject.delete(subject);
    }
  }
}

/** Neither accounts, hosts nor canonical paths hold a line feed, so no two triples share a text. */
function bucketOf(account: string, host: string): string {
  return `${account}\n${host}`;
}

function refusalKey(bucket: string, path: string): string {
  return `${bucket}\n${path}`;
}

function subjectsOf(answer: AccessAnswer): readonly string[] {
  return answer.kind === 'granted' ? [...answer.subjects, ...answer.nodes] : answer.subjects;
}

function hasEnded(answer: AccessAnswer, now: EpochSeconds): boolean {
  const untilAt = answer.kind === 'granted' ? answer.scope.untilAt : (answer.untilAt ?? null);
  return untilAt !== null && untilAt <= now;
}

function weightOf(bucket: string, path: string, answer: AccessAnswer): number {
  let length = bucket.length + path.length;
  for (const subject of subjectsOf(answer)) length += subject.length + 64;
  if (answer.kind === 'none' && answer.lost !== undefined) length += answer.lost.label.length + answer.lost.by.length;
  if (answer.kind === 'granted') length += JSON.stringify([answer.claims, answer.scope]).length + answer.grant.length;
  return entryBytes + 2 * length;
}
