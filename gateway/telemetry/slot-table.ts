// Gives names from the configuration an index that stays theirs over reloads, so that counters can be plain arrays.
// An index in use by a request in flight must not come to mean another name: it is freed one reload after its name went.

/** Names and their slots. A slot is a small number, 0 upward; the first list given gets 0, 1, 2, … */
export class SlotTable {
  readonly #slots = new Map<string, number>();
  #retiring = new Set<string>();
  readonly #free: number[] = [];
  readonly #clear: (slot: number) => void;
  #names: string[] = [];

  /** @param clear  called with each slot before it gets a name, to set its counters to zero */
  constructor(clear: (slot: number) => void) {
    this.#clear = clear;
  }

  /** Takes the names now in use and returns the slot of each, in that order. */
  assign(names: readonly string[]): number[] {
    const kept = new Set(names);
    for (const name of this.#retiring) {
      if (kept.has(name)) continue;
      const slot = this.#slots.get(name);
      if (slot !== undefined) this.#free.push(slot);
      this.#slots.delete(name);
    }
    this.#retiring = new Set([...this.#slots.keys()].filter((name) => !kept.has(name)));
    const slots = names.map((name) => this.#slots.get(name) ?? this.#take(name));
    this.#names = [];
    for (const [name, slot] of this.#slots) this.#names[slot] = name;
    return slots;
  }

  /** The name of a slot; `(none)`, which no configuration can give to anything, for a slot without one. */
  nameOf(slot: number): string {
    return this.#names[slot] ?? '(none)';
  }

  /** All slots with their names, also the names that the last reload removed. */
  *entries(): Iterable<readonly [number, string]> {
    for (const [name, slot] of this.#slots) yield [slot, name];
  }

  #take(name: string): number {
    const slot = this.#free.pop() ?? this.#slots.size;
    this.#clear(slot);
    this.#slots.set(name, slot);
    return slot;
  }
}
