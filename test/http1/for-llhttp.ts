// Two differences: latchkey accepts methods outside of llhttp's closed list (RFC 9110 §9.1 has an open one), and raw UTF-8 in targets.
// Everything else in such a request has to be read alike, so llhttp gets the request with another method of the same length, and with
// letters in place of those bytes. This file knows no parser of latchkey's.

// The methods of llhttp's own list that it accepts with HTTP/1.x.
const known: ReadonlySet<string> = new Set(
  (
    'DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND UNBIND ACL ' +
    'REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK UNLINK SOURCE QUERY'
  ).split(' '),
);

/** Whether llhttp knows a method by itself. */
export function isKnownMethod(method: string): boolean {
  return known.has(method);
}

/**
 * The method that llhttp is given in place of another one, with blanks behind it so that it is as long: llhttp takes any number
 * of them in front of a target. Null when no method is that short.
 */
export function methodForLlhttp(method: string): { readonly method: string; readonly padded: string } | null {
  if (isKnownMethod(method)) return { method, padded: method };
  const other = method.length >= 4 ? 'POST' : 'PUT';
  return method.length < other.length ? null : { method: other, padded: other.padEnd(method.length) };
}

/** A target with a letter for each byte that llhttp takes for none of a URL. */
export function targetForLlhttp(target: string): string {
  return target.replace(/[\x80-\xff]/g, 'x');
}
