// Sorts field names into small integers, so that nothing on the path compares names twice.
// A name that was spelled the same way before costs one hash and one comparison. The vocabulary is the caller's: the
// engine only knows the names that frame a message. Rules: RFC 9110 §5.1, §5.6.2.
// Many servers cannot tell `X_Forwarded_User` from `X-Forwarded-User` (CGI, WSGI, PHP make one variable of both), so a name
// that is told from one that matters by its signs alone is a look-alike: it is never forwarded, and the log names it.

import { maxFields } from './head-scanner.ts';

/** Classes that the engine itself acts on. Callers number theirs from `firstOwnClass` on. */
export const fieldClass = {
  /** Of no interest: forwarded byte for byte. */
  plain: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  /** Between two neighbours only, never forwarded: RFC 9110 §7.6.1. */
  hopByHop: 7,
  /** To some server it is a name that matters. Never forwarded. */
  lookAlike: 8,
} as const;

/** Lowest class number that is free for the caller. */
export const firstOwnClass = 16;

const framing: ReadonlyMap<string, number> = new Map([
  ['host', fieldClass.host],
  ['content-length', fieldClass.contentLength],
  ['transfer-encoding', fieldClass.transferEncoding],
  ['connection', fieldClass.connection],
  ['expect', fieldClass.expect],
  ['upgrade', fieldClass.upgrade],
  ['keep-alive', fieldClass.hopByHop],
  ['proxy-connection', fieldClass.hopByHop],
  ['proxy-authorization', fieldClass.hopByHop],
  ['proxy-authenticate', fieldClass.hopByHop],
  ['te', fieldClass.hopByHop],
  ['trailer', fieldClass.hopByHop],
  ['http2-settings', fieldClass.hopByHop],
]);

/** Holds a sign that some server takes for another one. */
const oddName = /[^a-z0-9-]/;
const strictName = /^[A-Za-z0-9-]+$/;
const tokenName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** `FieldNames.read` when the name breaks the grammar. @testing */
export const badName = -1;
/** `FieldNames.read` when no colon ends the name. */
export const noColon = -2;

// The memo: one spelling per slot, the latest wins. A sender of inventions can make it learn again, but neither fill it
// nor keep the usual names out of it. Clients use a few hundred spellings.
const slotBits = 10;
const maxRememberedLength = 47;
const slotBytes = maxRememberedLength + 1;

/** Which names a message may use: `strict` is letters, digits, hyphen; `token` is all of RFC 9110 §5.6.2. @testing */
export type NameGrammar = 'strict' | 'token';

/** A lower-case name as the most forgetful servers compare it: every sign is the same sign (Apache's and lighttpd's CGI). */
function foldSigns(lowerCaseName: string): string {
  return lowerCaseName.replace(/[^a-z0-9-]/g, '-');
}

/**
 * A memo from spelled names to classes.
 *
 * Measured on 7 fields: hash and compare in place 0.4 µs; `slice` and a `Map` from names to classes 0.85 µs.
 */
export class FieldNames {
  /** Offset of the colon that ended the name `read` last. */
  colon = 0;
  readonly #grammar: RegExp;
  readonly #classify: (lowerCaseName: string) => number;
  readonly #ofLookAlike: (found: number) => number;
  // per slot: the spelling's length, 0 for none, and its bytes
  readonly #spellings = new Uint8Array(slotBytes << slotBits);
  readonly #classes = new Int32Array(1 << slotBits);
  /** Slot of the name that stood at each position of the head before. */
  readonly #slotAt = new Int32Array(maxFields);

  /**
   * @param classify     class of a lower-case name that does not frame messages; `fieldClass.plain` when unknown
   * @param ofLookAlike  class of a name that is told by its signs alone from one of the given class, of the caller's
   */
  constructor(
    grammar: NameGrammar,
    classify: (lowerCaseName: string) => number,
    ofLookAlike: (found: number) => number = () => fieldClass.lookAlike,
  ) {
    this.#grammar = grammar === 'strict' ? strictName : tokenName;
    this.#classify = classify;
    this.#ofLookAlike = ofLookAlike;
  }

  /** @returns the class, or `badName` */
  classOf(spelled: string): number {
    const found = this.read(Buffer.from(`${spelled}:`, 'latin1'), 0, spelled.length + 1, 0);
    return this.colon === spelled.length ? found : badName;
  }

  /**
   * Reads the name at `start`, up to its colon. From the bytes, not from their text: in a string each character costs a
   * look at what kind of string it is (readFields was 9 % of the edge's own CPU by `perf`, half of it that).
   *
   * @param limit     end of the line
   * @param position  of the field in its head: clients send their fields in one order, so the name that stood there last
   *   is tried first. One comparison then does what a hash and a comparison do (2.5 to 1.3 % of the edge's CPU)
   * @returns the class, or `badName`, or `noColon`; not below zero: `colon` is set
   */
  read(bytes: Uint8Array, start: number, limit: number, position: number): number {
    const spellings = this.#spellings;
    const expected = (this.#slotAt[position] as number) * slotBytes;
    const expectedLength = spellings[expected] as number;
    // names hold no colon, so the colon behind this one is the line's first; length 0 is an empty slot
    if (expectedLength > 0 && start + expectedLength < limit && bytes[start + expectedLength] === 0x3a) {
      let index = 0;
      while (index < expectedLength && spellings[expected + 1 + index] === bytes[start + index]) index++;
      if (index === expectedLength) {
        this.colon = start + expectedLength;
        return this.#classes[this.#slotAt[position] as number] as number;
      }
    }
    return this.#readByHash(bytes, start, limit, position);
  }

  #readByHash(bytes: Uint8Array, start: number, limit: number, position: number): number {
    let hash = 0;
    let end = start;
    for (; end < limit; end++) {
      const code = bytes[end] as number;
      if (code === 0x3a) break;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    if (end === limit) return noColon;
    this.colon = end;
    const length = end - start;
    const slot = Math.imul(hash, 0x9e3779b1) >>> (32 - slotBits);
    this.#slotAt[position] = slot;
    const spellings = this.#spellings;
    const at = slot * slotBytes;
    if (spellings[at] === length && length > 0) {
      let index = 0;
      while (index < length && spellings[at + 1 + index] === bytes[start + index]) index++;
      if (index === length) return this.#classes[slot] as number;
    }
    return this.#learn(Buffer.from(bytes.subarray(start, end)).toString('latin1'), slot);
  }

  #learn(spelled: string, slot: number): number {
    if (!this.#grammar.test(spelled)) return badName;
    const lower = spelled.toLowerCase();
    const found = oddName.test(lower) ? this.#classOfOdd(lower) : (framing.get(lower) ?? this.#classify(lower));
    if (spelled.length <= maxRememberedLength) {
      const at = slot * slotBytes;
      this.#spellings[at] = spelled.length;
      for (let index = 0; index < spelled.length; index++) this.#spellings[at + 1 + index] = spelled.charCodeAt(index);
      this.#classes[slot] = found;
    }
    return found;
  }

  #classOfOdd(lower: string): number {
    const folded = foldSigns(lower);
    if (framing.has(folded)) return fieldClass.lookAlike;
    const found = this.#classify(folded);
    // a name that the configuration spells just so is no look-alike of itself
    return found === fieldClass.plain ? this.#classify(lower) : this.#ofLookAlike(found);
  }
}
