// What a token opens: its paths, methods, hosts and addresses, compiled once when the token is verified.
// It answers one question per claim and knows nothing of routes. An absent claim sets no limit; an empty list allows nothing.
// Rule: gateway/RULES.md "Claims".

import { compileHostPatterns, type HostPatterns } from '../model/host-pattern.ts';
import type { TokenClaims } from './claims.ts';
import type { IpList } from './ip-list.ts';
import { compileIpList } from './ip-list.ts';
import type { PathPattern } from './path-pattern.ts';
import { compilePathPattern } from './path-pattern.ts';

/** The limits of a token; null for a claim that the token has not. */
export interface CompiledScope {
  readonly paths: readonly PathPattern[] | null;
  /** The methods, with HEAD added wherever GET is listed. */
  readonly methods: readonly string[] | null;
  readonly hosts: HostPatterns | null;
  readonly addresses: IpList | null;
}

interface ScopeProblem {
  readonly kind: 'problem';
  readonly detail: string;
}

const hostPatternForm = /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/;
/** RFC 9110 §5.6.2 token, without lower case. */
const methodPattern = /^[!#$%&'*+.^_`|~0-9A-Z-]+$/;

/** Compiles the limits of claims whose types were checked. */
export function compileScope(
  claims: TokenClaims,
): { readonly kind: 'scope'; readonly scope: CompiledScope } | ScopeProblem {
  let paths: PathPattern[] | null = null;
  if (claims.paths !== undefined) {
    paths = [];
    for (const text of claims.paths) {
      const pattern = compilePathPattern(text);
      if (pattern === null)
        return problem(
          'paths has an entry that is no absolute path, or has dot segments, empty ones, a query, or a % alone',
        );
      paths.push(pattern);
    }
  }
  let methods: readonly string[] | null = null;
  if (claims.methods !== undefined) {
    if (!claims.methods.every((method) => methodPattern.test(method))) {
      return problem('methods has an entry that is not an upper-case method name');
    }
    methods = withHead(claims.methods);
  }
  let hosts: HostPatterns | null = null;
  if (claims.hosts !== undefined) {
    if (!claims.hosts.every((host) => host.length <= 255 && hostPatternForm.test(host))) {
      return problem('hosts has an entry that is not a lower-case host name without port');
    }
    hosts = compileHostPatterns(claims.hosts);
  }
  let addresses: IpList | null = null;
  if (claims.ips !== undefined) {
    addresses = compileIpList(claims.ips);
    if (addresses === null) return problem('ips has an entry that is neither an address nor a CIDR block');
  }
  return { kind: 'scope', scope: { paths, methods, hosts, addresses } };
}

/** The list with HEAD added where it has GET: HEAD asks for no more than GET does (RFC 9110 §9.3.2). */
export function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods;
}

/** Whether one of the patterns matches. @param path  from `comparedForm` */
export function opensPath(patterns: readonly PathPattern[], path: string): boolean {
  for (const pattern of patterns) {
    if (pattern.matches(path)) return true;
  }
  return false;
}

function problem(detail: string): ScopeProblem {
  return { kind: 'problem', detail };
}
