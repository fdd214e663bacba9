// What a route changes in the head of a forwarded answer: fields that are set, fields that are removed, a preset of security headers.
// Compiled once into strings and one map by name; the edge writes the head. Values were checked at load: no control characters.
// Fields that frame a message and fields that only latchkey sets cannot be in a policy (`responseNameProblem`).

import { privateCacheControl } from './cache-control.ts';
import { foldName } from './identity.ts';
import { presetHeaders, type SecurityPreset } from './security-headers.ts';

/** The rule of a route, as the configuration says it. */
export interface ResponseRule {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  readonly securityHeaders: SecurityPreset;
  /** `private`: answers that a credential opened are kept from shared caches. */
  readonly cache: 'private' | 'shared';
}

/** A value in a policy's map: the site's own field is removed. Any other value is the bit of the offered line that the field replaces. */
export const removesField = 0;

/** A compiled rule. Made by `compileResponsePolicy`. */
export class ResponsePolicy {
  /** What happens to the site's own field, by lower-case name: `removesField`, or the bit of the offered line that it replaces. */
  readonly fields: ReadonlyMap<string, number>;
  /** Complete lines that every answer gets, except `Cache-Control` and `Referrer-Policy`. */
  readonly lines: string;
  /** The `Cache-Control` line that the route sets, and its form for answers that a credential opened; empty when it sets none. */
  readonly cacheLine: string;
  readonly privateCacheLine: string;
  /** The `Referrer-Policy` line that the route sets; answers in the path form get their own instead. */
  readonly referrerLine: string;
  readonly #offers: readonly string[];
  readonly #tlsBit: number;
  readonly #referrerBit: number;
  readonly #joined: (string | undefined)[] = [];

  /** @internal use `compileResponsePolicy` */
  constructor(rule: ResponseRule) {
    const fields = new Map<string, number>();
    const offers: string[] = [];
    let lines = '';
    let tlsBit = 0;
    let referrerBit = 0;
    for (const name of rule.remove) fields.set(name.toLowerCase(), removesField);
    let cacheControl = '';
    let referrerLine = '';
    for (const [name, value] of Object.entries(rule.set)) {
      const lower = name.toLowerCase();
      fields.set(lower, removesField);
      if (lower === 'cache-control') cacheControl = value;
      else if (lower === 'referrer-policy') referrerLine = `${name}: ${value}\r\n`;
      else lines += `${name}: ${value}\r\n`;
    }
    for (const header of presetHeaders(rule.securityHeaders)) {
      const lower = header.name.toLowerCase();
      // a field that the route sets or removes by name overrides the preset
      if (fields.has(lower)) continue;
      const line = `${header.name}: ${header.value}\r\n`;
      if (header.winner === 'gateway') {
        fields.set(lower, removesField);
        lines += line;
        continue;
      }
      const bit = 1 << offers.length;
      offers.push(line);
      fields.set(lower, bit);
      if (header.needsTls) tlsBit = bit;
      if (lower === 'referrer-policy') referrerBit = bit;
    }
    this.fields = fields;
    this.lines = lines;
    this.cacheLine = cacheControl === '' ? '' : `Cache-Control: ${cacheControl}\r\n`;
    this.privateCacheLine = cacheControl === '' ? '' : `Cache-Control: ${privateCacheControl(cacheControl)}\r\n`;
    this.referrerLine = referrerLine;
    this.#offers = offers;
    this.#tlsBit = tlsBit;
    this.#referrerBit = referrerBit;
  }

  /** Bits of the offered lines that an answer does not get in any case; `offersBut` takes them together with the site's own bits. */
  withheld(isPathForm: boolean, isOverTls: boolean): number {
    return (isPathForm ? this.#referrerBit : 0) | (isOverTls ? 0 : this.#tlsBit);
  }

  /** The offered lines whose bits are not in `mask`. */
  offersBut(mask: number): string {
    const known = this.#joined[mask];
    if (known !== undefined) return known;
    const joined = this.#offers.filter((_, at) => (mask & (1 << at)) === 0).join('');
    this.#joined[mask] = joined;
    return joined;
  }
}

/** @returns null when the rule changes nothing in a head */
export function compileResponsePolicy(rule: ResponseRule): ResponsePolicy | null {
  const policy = new ResponsePolicy(rule);
  return policy.fields.size === 0 ? null : policy;
}

/** Lower-case names that some policy acts on. The edge's `FieldNames` has to know them. */
export function responseFieldsOf(policies: Iterable<ResponsePolicy | null>): string[] {
  const names = new Set<string>();
  for (const policy of policies) for (const name of policy?.fields.keys() ?? []) names.add(name);
  return [...names];
}

/** Fields that frame a message, are meant for the next hop, or are set by latchkey alone. */
const untouchableNames: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'host',
  'expect',
  'via',
  'x-request-id',
]);

/** Why a route cannot set or remove a field of this name, in words; null when it can. */
export function responseNameProblem(name: string): string | null {
  const folded = foldName(name);
  if (untouchableNames.has(folded)) return `header "${name}" frames the message or is latchkey's own to say`;
  return folded.startsWith('latchkey-') ? `header "${name}" is one of latchkey's own names` : null;
}
