// Sorts field names into small integers, so that nothing on the path compares names twice.
// A name that was spelled the same way before costs one Map look-up. The vocabulary is the caller's: the engine only
// knows the names that frame a message. Rules: RFC 9110 §5.1, and letters, digits and hyphen only for requests.

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

const strictName = /^[A-Za-z0-9-]+$/;
const tokenName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

// Spellings remembered. Clients use a few hundred. Full, the memo starts anew: a sender of inventions can make it learn
// again, but not keep the usual names out of it.
const maxRemembered = 1024;
const maxRememberedLength = 64;

/** Which names a message may use: `strict` is letters, digits, hyphen; `token` is all of RFC 9110 §5.6.2. */
export type NameGrammar = 'strict' | 'token';

/** A memo from spelled names to classes. */
export class FieldNames {
  readonly #grammar: RegExp;
  readonly #classify: (lowerCaseName: string) => number;
  readonly #remembered = new Map<string, number>();

  /** @param classify  class of a lower-case name that does not frame messages; `fieldClass.plain` when unknown */
  constructor(grammar: NameGrammar, classify: (lowerCaseName: string) => number) {
    this.#grammar = grammar === 'strict' ? strictName : tokenName;
    this.#classify = classify;
  }

  /** @returns the class, or -1 when the name breaks the grammar */
  classOf(spelled: string): number {
    const known = this.#remembered.get(spelled);
    if (known !== undefined) return known;
    if (!this.#grammar.test(spelled)) return -1;
    const lower = spelled.toLowerCase();
    const found = framing.get(lower) ?? this.#classify(lower);
    if (spelled.length <= maxRememberedLength) {
      if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
      // the copy keeps the memo from holding on to the head that the name was cut from
      this.#remembered.set(Buffer.from(spelled, 'latin1').toString('latin1'), found);
    }
    return found;
  }
}
