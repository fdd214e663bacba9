// Sorts field names into classes, which are small integers, so that no code on the request path compares a name twice.
// A name in a spelling that was seen before costs one hash and one comparison. This file knows the names that frame a message;
// the caller brings all others. Rules: RFC 9110 §5.1, §5.6.2.
// Many servers cannot tell `X_Forwarded_User` from `X-Forwarded-User` (CGI, WSGI and PHP make one variable of both). A name that
// differs from an important name only in such characters is a look-alike: it is never forwarded, and the log names it.

import { maxFields } from './head-scanner.ts';

/** The classes that `http1/` itself acts on. Callers number their own classes from `firstOwnClass` on. */
export const fieldClass = {
  /** A field that latchkey does not act on: it is forwarded byte for byte. */
  plain: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  /** A field for the next hop alone, never forwarded: RFC 9110 §7.6.1. */
  hopByHop: 7,
  /** A name that some servers take for an important one. The field is never forwarded. */
  lookAlike: 8,
} as const;

/** The lowest class number that callers may use for their own classes. */
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

/** A name with a character that some servers take for a hyphen. */
const oddName = /[^a-z0-9-]/;
const strictName = /^[A-Za-z0-9-]+$/;
const tokenName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What `FieldNames.read` returns when the name breaks the grammar. @testing */
export const badName = -1;
/** What `FieldNames.read` returns when no colon ends the name. */
export const noColon = -2;

// The memo holds one spelling per slot, and a new spelling replaces the old one. A client that invents names can make the memo
// learn usual names again, but can neither fill it nor keep usual names out of it. Real clients use a few hundred spellings.
const slotBits = 10;
const maxRememberedLength = 47;
const slotBytes = maxRememberedLength + 1;

/** Which names a message may use: `strict` is letters, digits, hyphen; `token` is all of RFC 9110 §5.6.2. @testing */
export type NameGrammar = 'strict' | 'token';

/** A lower-case name as the least exact servers compare it: every other character is a hyphen (CGI in Apache and lighttpd). */
function foldSigns(lowerCaseName: string): string {
  return lowerCaseName.replace(/[^a-z0-9-]/g, '-');
}

/**
 * A memo from names, as they are spelled in messages, to classes.
 *
 * Measured on 7 fields: 0.4 µs with hash and comparison in place, 0.85 µs with `slice` and a `Map` from names to classes.
 */
export class FieldNames {
  /** Offset of the colon behind the name that `read` read last. */
  colon = 0;
  readonly #grammar: RegExp;
  readonly #classify: (lowerCaseName: string) => number;
  readonly #ofLookAlike: (found: number) => number;
  // per slot: the length of the spelling (0 in an empty slot), then its bytes
  readonly #spellings = new Uint8Array(slotBytes << slotBits);
  readonly #classes = new Int32Array(1 << slotBits);
  /** For each position in a head, the slot of the name that stood there in the previous head. */
  readonly #slotAt = new Int32Array(maxFields);

  /**
   * @param classify     gives the class of a lower-case name that does not frame messages; `fieldClass.plain` for an unknown name
   * @param ofLookAlike  gives the class of a look-alike, from the caller's class of the name that it looks like
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
   * Reads the name at `start`, up to its colon. It reads bytes and not a string, because V8 has to look up the kind of a string
   * for each character (`perf`: readFields took 9 % of the edge's own CPU, and half of that was this look-up).
   *
   * @param limit     end of the line
   * @param position  position of the field in its head. Clients send their fields in the same order each time, so the name that
   *   stood at this position in the previous head is tried first; one comparison then replaces hash and comparison (1.3 % of the
   *   edge's CPU in place of 2.5 %)
   * @returns the class (then `colon` is set), or `badName`, or `noColon`
   */
  read(bytes: Uint8Array, start: number, limit: number, position: number): number {
    const spellings = this.#spellings;
    const expected = (this.#slotAt[position] as number) * slotBytes;
    const expectedLength = spellings[expected] as number;
    // a name holds no colon, so a colon right behind the expected name is the first of the line; length 0 is an empty slot
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
    // a name that the configuration itself spells with such a character is no look-alike
    return found === fieldClass.plain ? this.#classify(lower) : this.#ofLookAlike(found);
  }
}
