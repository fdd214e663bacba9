// Decides whether a token may push another one out of a full cache: only when it was asked for before, not long ago.
// So a million tokens that come once each cost the cache nothing, and the tokens in it that come again and again stay.
// It remembers 32-bit fingerprints and forgets; a wrong answer costs one more verification, never a verdict.
// The idea is the "doorkeeper" of TinyLFU (Einziger, Friedman, Manes: "TinyLFU", ACM TOS 2017).

/** Fingerprints of the tokens that were seen lately, one per slot. */
export class DigestCache {
  readonly #seen: Int32Array;
  #turn = 0;

  /** @param entries  of the cache that this one guards; twice as many fingerprints are kept */
  constructor(entries: number) {
    const wanted = Math.min(Math.max(entries * 2, 64), 2 ** 22);
    this.#seen = new Int32Array(2 ** Math.ceil(Math.log2(wanted)));
  }

  /** Notes this fingerprint. @returns whether it was noted before, lately */
  isKnown(fingerprint: number): boolean {
    const seen = this.#seen;
    const slot = (fingerprint ^ (fingerprint >>> 15)) & (seen.length - 1);
    if (seen[slot] === fingerprint) return true;
    // Two fingerprints that share a slot and come in turn would push each other out for ever: every other time the older one stays.
    this.#turn ^= 1;
    if (seen[slot] === 0 || this.#turn === 0) seen[slot] = fingerprint;
    return false;
  }
}
