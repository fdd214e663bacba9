// Which fields of a request and of a response the edge acts on, as numbers for the engine's name memo.
// What is not named here is forwarded byte for byte.

import { isTargetedCacheField } from '../../core/decision/policy/cache-control.ts';
import { isForeignName } from '../../core/decision/policy/foreign-names.ts';
import { foldName, isForwardingHeader, isIdentityHeader } from '../../core/decision/policy/identity.ts';
import { copySourceNames, methodOverrideNames, saysAnotherPath } from '../../core/decision/policy/target-headers.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import { FieldNames, fieldClass, firstOwnClass } from '../../http1/field-names.ts';

/** Classes of request fields, beside the engine's own. */
export const requestClass = {
  authorization: firstOwnClass,
  cookie: firstOwnClass + 1,
  /** Only the gateway may say these: the user's identity; and `Proxy` (CVE-2016-5385). Removed always. */
  identity: firstOwnClass + 2,
  forwardedFor: firstOwnClass + 3,
  forwardedProto: firstOwnClass + 4,
  forwardedHost: firstOwnClass + 5,
  requestId: firstOwnClass + 6,
  accept: firstOwnClass + 7,
  fetchMode: firstOwnClass + 8,
  requestedWith: firstOwnClass + 9,
  prefer: firstOwnClass + 10,
  userAgent: firstOwnClass + 11,
  range: firstOwnClass + 12,
  /** The header in which a trusted proxy says the client's address. */
  clientAddress: firstOwnClass + 13,
  maxForwards: firstOwnClass + 14,
  /** Names of other gateways and proxies, which a route may keep when a trusted proxy says them. */
  foreign: firstOwnClass + 15,
  /** Some route sets or removes it. */
  policy: firstOwnClass + 16,
  referer: firstOwnClass + 17,
  /** The trace context, where latchkey says one itself. Removed always: request-writer.ts writes it anew. */
  traceparent: firstOwnClass + 18,
  tracestate: firstOwnClass + 19,
  // These say another method or name a second resource, see second-targets.ts. They stay the highest: describe.ts counts on it.
  methodOverride: firstOwnClass + 20,
  destination: firstOwnClass + 21,
  ifLists: firstOwnClass + 22,
  copySource: firstOwnClass + 23,
} as const;

/** Classes of response fields, beside the engine's own. */
export const responseClass = {
  /** The first four hold addresses: see visitor-addresses.ts. */
  location: firstOwnClass,
  refresh: firstOwnClass + 1,
  link: firstOwnClass + 2,
  setCookie: firstOwnClass + 3,
  cacheControl: firstOwnClass + 4,
  expires: firstOwnClass + 5,
  referrerPolicy: firstOwnClass + 6,
  /** Names that only latchkey may say to a client. */
  ours: firstOwnClass + 7,
  requestId: firstOwnClass + 8,
  /** Tells one kind of shared cache more than Cache-Control. */
  targetedCache: firstOwnClass + 9,
  /** Cross-origin rules. */
  accessControl: firstOwnClass + 10,
  /** Some route sets, removes or offers it. */
  policy: firstOwnClass + 11,
  /** Leads visitors to another port or protocol of the site, past the gateway (RFC 7838). */
  alternative: firstOwnClass + 12,
} as const;

const requestNames: ReadonlyMap<string, number> = new Map([
  ['authorization', requestClass.authorization],
  ['cookie', requestClass.cookie],
  ['x-forwarded-for', requestClass.forwardedFor],
  ['x-forwarded-proto', requestClass.forwardedProto],
  ['x-forwarded-host', requestClass.forwardedHost],
  ['x-request-id', requestClass.requestId],
  ['accept', requestClass.accept],
  ['sec-fetch-mode', requestClass.fetchMode],
  ['x-requested-with', requestClass.requestedWith],
  ['prefer', requestClass.prefer],
  ['user-agent', requestClass.userAgent],
  ['referer', requestClass.referer],
  ['range', requestClass.range],
  ['max-forwards', requestClass.maxForwards],
  ['destination', requestClass.destination],
  ['if', requestClass.ifLists],
]);

const traceNames: ReadonlyMap<string, number> = new Map([
  ['traceparent', requestClass.traceparent],
  ['tracestate', requestClass.tracestate],
]);

/** Folded: to a program that reads them out of a CGI environment, `_` is `-`. */
const targetNames: ReadonlyMap<string, number> = new Map([
  ...methodOverrideNames.map((name) => [name, requestClass.methodOverride] as const),
  ...copySourceNames.map((name) => [name, requestClass.copySource] as const),
]);

const responseNames: ReadonlyMap<string, number> = new Map([
  ['set-cookie', responseClass.setCookie],
  ['location', responseClass.location],
  ['content-location', responseClass.location],
  ['refresh', responseClass.refresh],
  ['link', responseClass.link],
  ['alt-svc', responseClass.alternative],
  ['cache-control', responseClass.cacheControl],
  ['expires', responseClass.expires],
  ['pragma', responseClass.expires],
  ['referrer-policy', responseClass.referrerPolicy],
  ['x-request-id', responseClass.requestId],
]);

/**
 * The memos of field names that all connections of an edge share, for requests and for answers, kept true over reloads. The names that
 * the policies of answers act on are only ever added to: a request that began before a reload still has the policy of that time.
 */
export class MessageNames {
  requests: FieldNames;
  responses: FieldNames;
  readonly #policyNames: Set<string>;

  constructor(snapshot: Snapshot) {
    this.#policyNames = new Set(snapshot.responseFields);
    this.requests = requestFieldNames(snapshot);
    this.responses = responseFieldNames(this.#policyNames);
  }

  /** Takes the names of a new configuration. */
  learn(snapshot: Snapshot): void {
    this.requests = requestFieldNames(snapshot);
    const before = this.#policyNames.size;
    for (const name of snapshot.responseFields) this.#policyNames.add(name);
    if (this.#policyNames.size !== before) this.responses = responseFieldNames(this.#policyNames);
  }
}

/** The snapshot says which further names a client may not send, and which header says its address. */
function requestFieldNames(
  snapshot: Pick<Snapshot, 'customIdentityNames' | 'clientAddressHeader' | 'requestFields' | 'tracesRequests'>,
): FieldNames {
  const { customIdentityNames: customNames, clientAddressHeader, requestFields, tracesRequests } = snapshot;
  return new FieldNames(
    'token',
    (name) => {
      if (name === clientAddressHeader) return requestClass.clientAddress;
      const found = requestNames.get(name) ?? (tracesRequests ? traceNames.get(name) : undefined);
      if (found !== undefined) return found;
      // whatever a site's language makes of a name, it is one name to us
      const folded = foldName(name);
      if (isIdentityHeader(folded) || customNames.has(folded) || folded === 'proxy') return requestClass.identity;
      if (saysAnotherPath(folded)) return requestClass.identity;
      const target = targetNames.get(folded);
      if (target !== undefined) return target;
      if (isForeignName(folded) || isForwardingHeader(folded)) return requestClass.foreign;
      return requestFields.has(folded) ? requestClass.policy : fieldClass.plain;
    },
    (found) =>
      ofRequestLookAlike(
        found,
        harmlessNames.some((name) => requestFields.has(name)),
      ),
  );
}

/** No decision hangs on one of these. */
const harmlessNames: readonly string[] = [
  'accept',
  'x-requested-with',
  'prefer',
  'user-agent',
  'referer',
  'max-forwards',
];

/** @param isRuled  some route has a rule for one of the harmless names */
function ofRequestLookAlike(found: number, isRuled: boolean): number {
  switch (found) {
    // some route's rule judges all names that are one to a site
    case requestClass.policy:
      return found;
    case requestClass.accept:
    case requestClass.requestedWith:
    case requestClass.prefer:
    case requestClass.userAgent:
    case requestClass.referer:
    case requestClass.maxForwards:
      return isRuled ? requestClass.policy : fieldClass.plain;
    default:
      return fieldClass.lookAlike;
  }
}

/** @param policyNames  lower-case names that routes' policies act on */
function responseFieldNames(policyNames: ReadonlySet<string>): FieldNames {
  return new FieldNames(
    'token',
    (name) => {
      const found = responseNames.get(name);
      if (found !== undefined) return found;
      if (name.startsWith('latchkey-')) return responseClass.ours;
      if (name.startsWith('access-control-')) return responseClass.accessControl;
      if (isTargetedCacheField(name)) return responseClass.targetedCache;
      return policyNames.has(name) ? responseClass.policy : fieldClass.plain;
    },
    ofResponseLookAlike,
  );
}

/**
 * Between the gateway and the client there may be a cache or a program that folds names. Only names that are ours are dangerous then;
 * the others are left to the rules of routes.
 */
function ofResponseLookAlike(found: number): number {
  return found === responseClass.setCookie || found === responseClass.ours
    ? fieldClass.lookAlike
    : responseClass.policy;
}
