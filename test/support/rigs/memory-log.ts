// A change log in memory, for tests of the feed that follows a log: the log can be away, forget old changes, and send no wakes.

import type { ChangeSource } from '../../../gateway/control/node/change-feed.ts';
import type { Change, NewChange } from '../../../gateway/core/model/change.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';

export class MemoryLog implements ChangeSource {
  epoch = 'e1';
  isAway = false;
  /** Whether followers are woken, or have to poll. */
  wakes = true;
  reads = 0;
  /** Changes in one answer at most. */
  perRead = 1000;
  /** The time `at` of a change that comes now. */
  now = 1_800_000_000;
  #changes: Change[] = [];
  /** Seconds of the log's own time since each change, in their order. */
  #ages: number[] = [];
  /** Seq of the last change. */
  #end = 0;
  readonly #listeners = new Set<() => void>();

  get position() {
    return { epoch: this.epoch, seq: this.#end };
  }

  append(...changes: NewChange[]): { readonly epoch: string; readonly seq: number } {
    for (const change of changes) {
      this.#end += 1;
      this.#changes.push({ ...change, seq: this.#end, at: this.now });
      this.#ages.push(0);
    }
    if (this.wakes) for (const listener of this.#listeners) listener();
    return this.position;
  }

  revoke(...nodes: string[]) {
    return this.append(...nodes.map((node) => ({ kind: 'revoke' as const, node })));
  }

  /** As after a restore: another epoch, and only these are revoked. */
  restore(epoch: string, nodes: readonly string[] = []): void {
    this.epoch = epoch;
    this.#changes = [];
    this.#ages = [];
    this.#end = 0;
    this.revoke(...nodes);
  }

  readonly readChanges: ChangeSource['readChanges'] = async (after) => {
    this.#read();
    if (after.epoch !== this.epoch || after.seq > this.#end) return { kind: 'restart' };
    const changes = this.#changes.filter(({ seq }) => seq > after.seq).slice(0, this.perRead);
    const last = changes.at(-1);
    return { kind: 'changes', position: { epoch: this.epoch, seq: last?.seq ?? after.seq }, changes };
  };

  readonly readRevocations: ChangeSource['readRevocations'] = async () => {
    this.#read();
    return { position: this.position, revocations: this.#changes.filter(({ kind }) => kind !== 'touch') };
  };

  readonly readAgedSeq: NonNullable<ChangeSource['readAgedSeq']> = async (seconds) => {
    this.#read();
    return this.#ages.filter((age) => age > seconds).length;
  };

  /** Lets the log's own time pass. */
  age(seconds: number): void {
    this.#ages = this.#ages.map((age) => age + seconds);
  }

  readonly onWake: ChangeSource['onWake'] = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #read(): void {
    this.reads += 1;
    if (this.isAway) throw new StoreAway(new Error('unplugged'));
  }
}
