// Fields that name another target than the request line: another path, another method, a second resource.
// The decision was about the request line, so these fields are removed, or judged like the request line. Pure: names only.
// Rules: gateway/RULES.md "Path and route"; RFC 4918 §10.3 and §10.4.

/** Folded names that some frameworks and servers read in place of the path, or as a file to send. No client may send them. */
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

/** Lower-case names that frameworks read in place of the method. */
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

/** Lower-case names that object stores read as the source of a copy: a path of a bucket, with or without a first slash. */
export const copySourceNames: readonly string[] = [
  'x-amz-copy-source',
  'x-amz-rename-source',
  'x-goog-copy-source',
  'x-ms-copy-source',
  'x-ms-rename-source',
  'x-copy-from',
];

/**
 * Methods whose body names a second resource (RFC 5842 BIND and REBIND, RFC 3253 MERGE, UPDATE and BASELINE-CONTROL, RFC 4437). latchkey
 * does not read the body, so a credential for some paths opens such a method only where the credential or the route names methods.
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

/** Whether a method acts on a resource that only the request's body names. The case is ignored, as some servers ignore it. */
export function hasTargetInBody(method: string): boolean {
  return targetInBody.has(method.toUpperCase());
}

/** Whether some server may read the field of this folded name as the path of the request. */
export function saysAnotherPath(foldedName: string): boolean {
  return otherPaths.has(foldedName);
}
