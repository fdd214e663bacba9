// Fields by which a request says that it is another one than its request line says: another path, another method, a second
// resource. What was decided is the request line, so these are removed, or judged like it. Pure: names only.
// Rules: gateway/RULES.md "Path and route"; RFC 4918 §10.3 and §10.4.

/** Read by some frameworks and servers in place of the path, or as a file to send. Folded; no client may send them. */
const otherPaths: ReadonlySet<string> = new Set([
  'x-original-url',
  'x-original-uri',
  'x-original-path',
  'x-original-method',
  'x-original-host',
  'x-rewrite-url',
  'x-rewrite-path',
  'x-override-url',
  'x-http-path-override',
  'x-http-host-override',
  'x-http-destinationurl',
  'x-request-uri',
  'request-uri',
  'x-script-name',
  'x-path-info',
  'x-replaced-path',
  'x-envoy-original-path',
  'x-envoy-original-host',
  'x-envoy-original-method',
  'x-ms-original-url',
  'x-waws-unencoded-url',
  // Rack::Sendfile read these two from requests (CVE-2025-61780), Next.js the ones below (CVE-2025-29927)
  'x-sendfile-type',
  'x-accel-mapping',
  'x-sendfile',
  'x-accel-redirect',
  'x-reproxy-url',
  'x-lighttpd-send-file',
  'x-middleware-subrequest',
  'x-middleware-rewrite',
  'x-matched-path',
  'x-invoke-path',
  'x-invoke-query',
  'x-invoke-output',
]);

/** Read by frameworks in place of the method. Lower case. */
export const methodOverrideNames: readonly string[] = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-http-methodoverride',
  'x-http-verb',
  'x-http-verb-override',
  'http-method-override',
  'method-override',
  'x-method',
  'x-rest-method',
  'x-requested-method',
];

/** Read by object stores as what to copy from: a path of a bucket, with or without its first slash. Lower case. */
export const copySourceNames: readonly string[] = [
  'x-amz-copy-source',
  'x-amz-rename-source',
  'x-goog-copy-source',
  'x-ms-copy-source',
  'x-ms-rename-source',
  'x-copy-from',
];

/**
 * Methods whose body names a second resource, which nobody reads here (RFC 5842 BIND and REBIND, RFC 3253 MERGE, UPDATE and
 * BASELINE-CONTROL, RFC 4437). A credential for some paths opens them only where somebody named the method.
 */
const targetInBody: ReadonlySet<string> = new Set([
  'BIND',
  'REBIND',
  'MERGE',
  'UPDATE',
  'BASELINE-CONTROL',
  'MKREDIRECTREF',
  'UPDATEREDIRECTREF',
]);

/** Whether a method acts on a resource that only the request's body names. In any letters: a server that folds them exists. */
export function hasTargetInBody(method: string): boolean {
  return targetInBody.has(method.toUpperCase());
}

/** Whether a folded name may be read as another path of this very request. */
export function saysAnotherPath(foldedName: string): boolean {
  return otherPaths.has(foldedName);
}
