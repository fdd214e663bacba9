// Which requests may be sent twice, and which may share a connection with others, by what their method promises.
// An unknown method promises nothing. Nor does a method that a field overrides for the site (X-HTTP-Method-Override).
// Rules: RFC 9110 §9.2.2; RFC 9112 §9.3.2.

import type { Described } from '../request/describe.ts';

const idempotent: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PROPFIND',
  'REPORT',
  'SEARCH',
]);

type Asked = Pick<Described, 'method' | 'saysOtherMethod' | 'head'>;

/** Whether repeating a request changes nothing. */
export function isIdempotent({ method, saysOtherMethod }: Asked): boolean {
  return idempotent.has(method) && !saysOtherMethod;
}

/** Whether a request may go out behind others that were not answered yet. */
export function mayJoinOthers({ method, saysOtherMethod, head }: Asked): boolean {
  return (method === 'GET' || method === 'HEAD') && !head.hasBody && !saysOtherMethod;
}
