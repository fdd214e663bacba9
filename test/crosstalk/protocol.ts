// The agreement between client and upstream of the cross-talk test: the identities, the possible requests, and every byte of an answer.
// An answer carries its request's nonce and identity in its head and at the front of its body; the rest of the body
// is the identity's pattern from a place that the nonce determines. So a byte of another identity, or of another answer, shows.

import { Pattern } from '../support/pattern.ts';

/** Sound answers, each framed in another way or followed by something else. */
export type SoundAct =
  | 'length'
  | 'chunked'
  /** The end of the connection ends the body. */
  | 'close'
  /** A few milliseconds later than others. */
  | 'late'
  /** A whole answer for nobody comes in the same write. */
  | 'poison'
  /** Bytes that are no answer come a moment later, when the connection is idle. */
  | 'afterwards'
  /** The connection ends right behind it, unannounced. */
  | 'bye';

/** What is no answer. */
export type FaultAct =
  /** A reset instead. */
  | 'reset'
  /** An end instead. */
  | 'nothing'
  /** Bytes that are no head. */
  | 'junk'
  /** Half of the body, then an end. */
  | 'early';

export type Act = SoundAct | FaultAct;

export const faultActs: readonly FaultAct[] = ['reset', 'nothing', 'junk', 'early'];

/**
 * What an upstream may do beside answering plainly.
 *
 * @param depth  requests at most on one upstream connection. With more than one, an answer too many is the next request's
 *   to whoever reads it: nothing on the wire says otherwise, and so nobody asks for it
 */
export function troublesAt(depth: number): readonly Act[] {
  const sound: readonly SoundAct[] = ['close', 'late', 'afterwards', 'bye'];
  return depth > 1 ? [...sound, ...faultActs] : [...sound, 'poison', ...faultActs];
}

/** One request. */
export interface Question {
  readonly act: Act;
  /** Pattern bytes of the answer. */
  readonly size: number;
  /** Pattern bytes of the request's body; null for a GET. */
  readonly upload: number | null;
  /** Unique in a run: letters, digits and hyphens. */
  readonly nonce: string;
}

export const identities = 64;

export const nonceField = 'X-Nonce';
/** Of answers: the identity by which the upstream knew the client. */
export const seenField = 'X-Seen-User';
/** Of answers to uploads: bytes that came, and `right` or `wrong`. */
export const uploadField = 'X-Upload';

// a prime number of words, so that no buffer's size divides the period; small, so that 64 of them stay in the processor
const patternWords = 16_411;
const patterns: Pattern[] = [];

export function userOf(identity: number): string {
  return `user-${identity}`;
}

/** Pattern of a user. @throws when nobody is called so */
export function patternOf(user: string): Pattern {
  const number = Number(/^user-(\d+)$/.exec(user)?.[1] ?? Number.NaN);
  if (!(number >= 0 && number < identities)) throw new Error(`nobody is called ${user}`);
  patterns[number] ??= Pattern.seeded(number + 1, patternWords);
  return patterns[number];
}

/** Where in the pattern a body with this nonce begins. */
export function offsetOf(nonce: string): number {
  let offset = 0;
  for (let index = 0; index < nonce.length; index++) offset = (offset * 31 + nonce.charCodeAt(index)) % 65_521;
  return offset;
}

/** What stands in front of the pattern. */
export function prefixOf(nonce: string, user: string): string {
  return `${nonce} ${user}\n`;
}

/** The target says what to answer with; the identity is never in it. */
export function targetOf(question: Question): string {
  return `/${question.act}/${question.size}`;
}

/** Numbers that look random and are the same in each run with one seed. */
export function makeDice(seed: number): (below: number) => number {
  let state = (Math.abs(seed) % 2_147_483_646) + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
