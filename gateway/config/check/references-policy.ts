// Checks that the parts of a route's policy fit each other and what the route accepts. It finds headers that are named twice,
// caching that would leak, origins that browsers would refuse, and limits that count nobody.

import { isTargetedCacheField } from '../../core/decision/policy/cache-control.ts';
import { foldName } from '../../core/decision/policy/identity.ts';
import { type Problem, type ProblemPath, problemAt } from '../problems/problem.ts';
import type { Draft } from '../schema/inspect.ts';
import type { ConfigFile } from '../schema/schema.ts';

type RouteDraft = Draft<ConfigFile['routes'][number]>;

/** Problems of all routes' policies, and of the header that names the client's address. */
export function checkPolicies(draft: Draft<ConfigFile>, problems: Problem[]): void {
  for (const [at, route] of (draft.routes ?? []).entries()) {
    if (route === undefined) continue;
    checkRequest(route, ['routes', at, 'request'], draft.trusted_proxies?.length === 0, problems);
    checkResponse(route, ['routes', at, 'response'], problems);
    checkCors(route, ['routes', at, 'cors'], problems);
    checkRateLimits(route, ['routes', at, 'rate_limit'], problems);
  }
  if (draft.client_address_header !== undefined && draft.trusted_proxies?.length === 0) {
    const hint = 'list the proxies that set it under trusted_proxies; from anybody else it is not believed';
    problems.push(problemAt(['client_address_header'], 'nobody is trusted to send it', hint));
  }
}

function checkRequest(route: RouteDraft, path: ProblemPath, trustsNobody: boolean, problems: Problem[]): void {
  const { request, identity } = route;
  const custom = typeof identity === 'object' ? Object.values(identity.custom ?? {}) : [];
  const said = new Map<string, string>();
  for (const name of custom) if (name !== undefined) said.set(foldName(name), "the route's identity");
  for (const name of Object.keys(request?.set ?? {})) {
    const folded = foldName(name);
    const other = said.get(folded);
    const hint = 'drop one of them';
    if (other !== undefined) problems.push(problemAt([...path, 'set', name], `is the same header as ${other}`, hint));
    said.set(folded, name);
  }
  const removed = new Set<string>();
  for (const [at, name] of (request?.remove ?? []).entries()) {
    if (name === undefined) continue;
    const folded = foldName(name);
    const place = [...path, 'remove', at];
    if (removed.has(folded)) problems.push(problemAt(place, `${name} stands here twice`, 'drop one of them'));
    else if (said.has(folded))
      problems.push(problemAt(place, `${name} is set as well`, 'set replaces the client’s own already'));
    removed.add(folded);
  }
  for (const [at, name] of (request?.keep ?? []).entries()) {
    if (name === undefined) continue;
    const folded = foldName(name);
    const place = [...path, 'keep', at];
    if (said.has(folded) || removed.has(folded)) {
      problems.push(problemAt(place, `${name} is set or removed as well`, 'drop one of them'));
    } else if (trustsNobody) {
      const hint = 'list the proxies that set it under trusted_proxies; from anybody else it is not believed';
      problems.push(problemAt(place, 'nobody is trusted to send it', hint));
    }
  }
}

function checkResponse(route: RouteDraft, path: ProblemPath, problems: Problem[]): void {
  const { response } = route;
  const set = new Map<string, string>();
  const takesCredentials = route.accept?.some((kind) => kind !== undefined && kind !== 'anyone') ?? false;
  for (const name of Object.keys(response?.set ?? {})) {
    const lower = name.toLowerCase();
    const place = [...path, 'set', name];
    const other = set.get(lower);
    if (other !== undefined) problems.push(problemAt(place, `is the same header as ${other}`, 'drop one of them'));
    set.set(lower, name);
    if (lower === 'set-cookie') {
      problems.push(problemAt(place, 'would give every visitor one cookie', 'let the site set its cookies'));
    } else if (isTargetedCacheField(lower) && takesCredentials && response?.cache !== 'shared') {
      const hint = 'set cache: shared if a cache in front checks tokens itself, else leave it out';
      problems.push(problemAt(place, 'lets shared caches keep what a credential opened', hint));
    }
  }
  const removed = new Set<string>();
  for (const [at, name] of (response?.remove ?? []).entries()) {
    if (name === undefined) continue;
    const lower = name.toLowerCase();
    const place = [...path, 'remove', at];
    if (removed.has(lower)) problems.push(problemAt(place, `${name} stands here twice`, 'drop one of them'));
    else if (set.has(lower))
      problems.push(problemAt(place, `${name} is set as well`, 'set replaces the upstream’s own already'));
    removed.add(lower);
  }
  if (route.cors === undefined) return;
  for (const lower of [...set.keys(), ...removed]) {
    if (!lower.startsWith('access-control-')) continue;
    problems.push(problemAt(path, `names ${lower}, which the route's cors says`, 'leave it to cors'));
  }
}

function checkCors(route: RouteDraft, path: ProblemPath, problems: Problem[]): void {
  const { cors } = route;
  const origins = cors?.origins ?? [];
  for (const [at, origin] of origins.entries()) {
    const place = [...path, 'origins', at];
    if (origin === '*' && cors?.credentials === true) {
      const hint = 'name the origins, or set credentials: false';
      problems.push(problemAt(place, 'every site could read answers in the name of its visitors', hint));
    }
    if (origin !== undefined && origins.indexOf(origin) < at) {
      problems.push(problemAt(place, `${origin} stands here twice`, 'drop one of them'));
    }
  }
}

function checkRateLimits(route: RouteDraft, path: ProblemPath, problems: Problem[]): void {
  const limits = route.rate_limit;
  if (limits === undefined) return;
  const isList = Array.isArray(limits);
  const seen = new Set<string>();
  const kinds = route.accept;
  const isOpen = kinds?.every((kind) => kind === 'anyone') ?? false;
  for (const [at, limit] of (isList ? limits : [limits]).entries()) {
    const place = isList ? [...path, at] : path;
    if (limit?.by === undefined || limit.rate === undefined) continue;
    if (limit.by !== 'address' && isOpen) {
      const hint = 'count by address, or accept a credential';
      problems.push(problemAt([...place, 'by'], `nobody has a ${limit.by} on a route for anyone`, hint));
    }
    const key = `${limit.by} ${limit.rate.count}/${limit.rate.perSeconds} ${limit.burst}`;
    if (seen.has(key)) problems.push(problemAt(place, 'is the same limit as one before', 'drop one of them'));
    seen.add(key);
  }
}
