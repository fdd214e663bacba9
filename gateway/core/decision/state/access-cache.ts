// Access answers of control, kept until something touches what they were about. Pure: a data structure, no time of its own.
// A granted answer serves every path in its scope, for its account on its host; a refusal serves its own path alone.
// An answer that was on its way while one of its subjects changed is neither kept nor used (gateway/RULES.md
// "Tokens and caches"): it may say what was true before the change.

import type { Change, LogPosition } from '../../model/change.ts';
import { covers } from '../../model/path.ts';
import type { EpochSeconds } from '../../model/time.ts';
import type { AccessAnswer, GrantedAccess } from './access.ts';

interface AccessCacheLimits {
  readonly entries: number;
  /** About; of the texts that entries hold. */
  readonly bytes: number;
}

interface AccessSubject {
  readonly account: string;
  readonly host: string;
  readonly path: string;
}

/** Marks a question on its way; from `begin`, for `finish`. */
interface AccessFlight {
  readonly begunAt: LogPosition | null;
  readonly generation: number;
}

interface Entry {
  /** Account and host. */
  readonly bucket: string;
  /** Path of the scope, or the one path that is refused. */
  readonly path: string;
  readonly answer: AccessAnswer;
  readonly weight: number;
}

/** Scopes kept of one account on one host; the oldest goes. Each is looked at in turn. */
const maxScopes = 64;
/** Subjects remembered while questions are on their way; beyond that every answer read before is refused. */
const maxTouched = 4096;
/** Of an entry with its places in the maps, beside its texts. */
const entryBytes = 512;

export class AccessCache {
  readonly #limits: AccessCacheLimits;
  readonly #granted = new Map<string, Map<string, Entry>>();
  readonly #refused = new Map<string, Entry>();
  readonly #bySubject = new Map<string, Set<Entry>>();
  /** In the order of last use. */
  readonly #entries = new Set<Entry>();
  #bytes = 0;
  #position: LogPosition | null = null;
  #flights = 0;
  /** One more with each time that everything was forgotten. */
  #generation = 0;
  /** Last change of each subject since the oldest question on its way was begun. */
  readonly #touched = new Map<string, number>();
  /** Answers that were read before this place say nothing any more. */
  #floor = 0;

  constructor(limits: AccessCacheLimits) {
    this.#limits = limits;
  }

  /** The place of the log up to which it has heard; null before the first. */
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

  /** To be called before control is asked; `finish` follows, whatever comes of it. */
  begin(): AccessFlight {
    this.#flights++;
    return { begunAt: this.#position, generation: this.#generation };
  }

  /**
   * Takes what came of a question.
   *
   * @param answer  null when there was none
   * @returns whether the answer holds as of now; false: it has to be asked again
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
   * Takes what happened in the log.
   *
   * @param position  up to where everything is known now
   * @param changes   null when it is not known what happened: everything is forgotten
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

  /** Forgets all answers, and refuses those on their way: the configuration that they were about is another one. */
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
    // read before what was known already when it was asked for: what was touched until then is not remembered
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
      // of two answers on their way together the newer one stays
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
  return answer.kind === 'granted' && isOver(answer, now);
}

function isOver({ scope }: GrantedAccess, now: EpochSeconds): boolean {
  return scope.untilAt !== null && scope.untilAt <= now;
}

function weightOf(bucket: string, path: string, answer: AccessAnswer): number {
  let length = bucket.length + path.length;
  for (const subject of subjectsOf(answer)) length += subject.length + 64;
  if (answer.kind === 'granted') length += JSON.stringify([answer.claims, answer.scope]).length + answer.grant.length;
  return entryBytes + 2 * length;
}
