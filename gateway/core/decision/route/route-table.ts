// Which route a request has: the host decides first, then the longest path inside that host's group.
// The table is built once per configuration and never changed. It takes canonical hosts, and paths in compared form only.
// For many sites the two ends of a name (`/admin`, `/admin/`) are one place, so the table also says where they have different policies.
// Cost: one map look-up for the host and one per path segment, as deep as the routes go and never as deep as the path.

import { HostTable } from '../../model/host-pattern.ts';
import { comparedForm } from '../../model/path.ts';

/** The address of a route, which the table finds it by. */
export interface RouteAddress {
  /** Lower-case host, `*.example.org` for every host below it, or null for a route without a host. */
  readonly host: string | null;
  /** Canonical path; a folder when it ends in `/`, one exact path otherwise. */
  readonly path: string;
}

/**
 * The path has a route, and its other end (with or without the final `/`) has another route that would judge the same request
 * differently. So the request is forwarded under neither.
 */
export class OtherEnd<R> {
  /** The route of the requested path. */
  readonly route: R;
  /** The route of the other end. */
  readonly other: R;
  /** Whether the other end is a folder, since the requested path has no final slash: a visitor can be redirected to it. */
  readonly isFolder: boolean;

  constructor(route: R, other: R, isFolder: boolean) {
    this.route = route;
    this.other = other;
    this.isFolder = isFolder;
  }
}

/** The walk ended at a name with a dot at its end, which some servers drop: the name without the dot has to be looked up as well. */
export class DottedName<R> {
  readonly found: R | OtherEnd<R> | null;

  constructor(found: R | OtherEnd<R> | null) {
    this.found = found;
  }
}

const dot = 0x2e;

/** One path segment of a group. `folder` is the route of this path with a final `/`, `exact` the route without. */
interface TrieNode<R> {
  folder: R | null;
  exact: R | null;
  children: Map<string, TrieNode<R>> | null;
  /** Where the two ends of this path have routes with different rules; null nearly always. Set when the table is complete. */
  bareEnd: OtherEnd<R> | null;
  folderEnd: OtherEnd<R> | null;
}

/**
 * Whether every request that the first of two routes lets in is let in by the second as well.
 *
 * @param who  only the accepted credentials are compared, and neither methods nor rate limits
 */
type Comparison<R> = (route: R, other: R, who?: 'who') => boolean;

/** Routes by host and path. Made by `buildRouteTable`. */
export class RouteTable<R extends RouteAddress> {
  readonly #named: HostTable<TrieNode<R>>;
  readonly #hostless: TrieNode<R> | null;

  /** @internal use `buildRouteTable` */
  constructor(named: HostTable<TrieNode<R>>, hostless: TrieNode<R> | null) {
    this.#named = named;
    this.#hostless = hostless;
  }

  /**
   * The route of a request.
   *
   * @param host  from `canonicalHost`
   * @param path  from `comparedForm`
   * @returns null when the host's group has no such path: no other group is tried
   */
  find(host: string, path: string): R | null {
    const found = this.place(host, path);
    return found instanceof OtherEnd ? found.route : found;
  }

  /** Like `find`, but an `OtherEnd` where the other end of the path has another policy. */
  place(host: string, path: string): R | OtherEnd<R> | null {
    const found = this.walk(host, path);
    return found instanceof DottedName ? found.found : found;
  }

  /** Like `place`, but a `DottedName` where a name ends in a dot: found here at no cost, and elsewhere by a search of the whole path. */
  walk(host: string, path: string): R | OtherEnd<R> | DottedName<R> | null {
    const group = this.#group(host);
    return group === null ? null : findInGroup(group, path);
  }

  /** Whether another route than this one begins at or below a folder. @param folder  from `comparedForm`, ends in `/` */
  hasOtherBelow(host: string, folder: string, route: R): boolean {
    let node = this.#group(host);
    for (const segment of folder.split('/').slice(1, -1)) node = node?.children?.get(segment) ?? null;
    return node !== null && hasOther(node, route);
  }

  /** Whether any route could serve this host: the host has a group, a wildcard matches it, or some routes have no host. */
  knowsHost(host: string): boolean {
    return this.#group(host) !== null;
  }

  /** The hosts and wildcards (`*.example.org`) that the configuration names. For commands and logs. */
  hosts(): { readonly exact: readonly string[]; readonly wildcards: readonly string[]; readonly hostless: boolean } {
    return { ...this.#named.patterns(), hostless: this.#hostless !== null };
  }

  #group(host: string): TrieNode<R> | null {
    return this.#named.find(host) ?? this.#hostless;
  }
}

/**
 * Builds the table.
 *
 * @param ownHosts  hosts that are known even if no route is for them, like the portal's: only latchkey's own pages are there
 * @param isNoLooser  compares two routes, see `OtherEnd`; by default all routes count as equally strict
 * @throws Error when two routes have the same host and path, or a path is not absolute (the configuration checks both before)
 */
export function buildRouteTable<R extends RouteAddress>(
  routes: readonly R[],
  ownHosts: readonly string[] = [],
  isNoLooser: Comparison<R> = () => true,
): RouteTable<R> {
  const named = new HostTable<TrieNode<R>>('any-depth');
  let hostless: TrieNode<R> | null = null;
  for (const route of routes) {
    if (route.host === null) {
      hostless ??= newNode();
      insert(hostless, route);
    } else insert(named.add(route.host, newNode()), route);
  }
  for (const group of named.values()) markEnds(group, group.folder, isNoLooser);
  if (hostless !== null) markEnds(hostless, hostless.folder, isNoLooser);
  const table = new RouteTable(named, hostless);
  // routes without a host may serve the portal's host too, so a host gets an empty group only where no route serves it
  const unserved = ownHosts.filter((host) => !table.knowsHost(host));
  for (const host of unserved) named.add(host, newNode());
  return table;
}

/** The route of a path: of the exact path, or else of the deepest folder above it. */
function findInGroup<R>(group: TrieNode<R>, path: string): R | OtherEnd<R> | DottedName<R> | null {
  let best = group.folder;
  let children = group.children;
  let start = 1;
  while (children !== null) {
    const slash = path.indexOf('/', start);
    if (slash < 0) {
      const last = children.get(path.slice(start));
      if (last === undefined) return path.charCodeAt(path.length - 1) === dot ? new DottedName(best) : best;
      return last.bareEnd ?? last.exact ?? best;
    }
    const node = children.get(path.slice(start, slash));
    if (node === undefined) return path.charCodeAt(slash - 1) === dot ? new DottedName(best) : best;
    if (node.folder !== null) best = node.folder;
    start = slash + 1;
    if (start === path.length) return node.folderEnd ?? best;
    children = node.children;
  }
  return best;
}

/**
 * Finds the nodes whose two ends have different rules. Where only the folder has a route, the bare name would fall to the route around
 * it: the visitor is redirected to the folder where that one lets in others or takes less, which costs the visitor nothing. Where
 * only the exact name has a route, the name with a slash is refused where it would fall to a looser route. What the configuration
 * names stays reachable: an open page (`/health`) or an open folder on a closed site. Where both ends have a route, each keeps its own
 * methods and rates, but the stricter one also decides who is let in by the other end.
 *
 * @param above  the route of the folder around the node
 */
function markEnds<R>(node: TrieNode<R>, above: R | null, isNoLooser: Comparison<R>): void {
  for (const child of node.children?.values() ?? []) {
    const { exact, folder } = child;
    if (exact !== null && folder !== null) {
      if (!isNoLooser(exact, folder, 'who')) child.bareEnd = new OtherEnd(exact, folder, true);
      // a visitor who is redirected to the folder has to reach it
      else if (!isNoLooser(folder, exact, 'who')) child.folderEnd = new OtherEnd(folder, exact, false);
    } else if (folder !== null && above !== null) {
      // the route around the folder lets in the same people and allows them no more, so it can judge the bare name as well
      const mayStay = isNoLooser(above, folder) && isNoLooser(folder, above, 'who');
      if (!mayStay) child.bareEnd = new OtherEnd(above, folder, true);
    } else if (exact !== null && above !== null && !isNoLooser(above, exact)) {
      child.folderEnd = new OtherEnd(above, exact, false);
    }
    markEnds(child, folder ?? above, isNoLooser);
  }
}

function hasOther<R>(node: TrieNode<R>, route: R): boolean {
  if ((node.folder !== null && node.folder !== route) || (node.exact !== null && node.exact !== route)) return true;
  for (const child of node.children?.values() ?? []) if (hasOther(child, route)) return true;
  return false;
}

function insert<R extends RouteAddress>(group: TrieNode<R>, route: R): void {
  const segments = comparedForm(route.path).split('/');
  if (segments.length < 2 || segments[0] !== '') throw new Error(`route path "${route.path}" does not begin with "/"`);
  // the last piece of a folder's path is empty, so the node is that of the piece before
  const isFolder = segments.at(-1) === '';
  let node = group;
  for (const segment of isFolder ? segments.slice(1, -1) : segments.slice(1)) {
    node.children ??= new Map();
    node = childOf(node.children, segment);
  }
  const taken = isFolder ? node.folder : node.exact;
  if (taken !== null) throw new Error(`two routes for host ${route.host ?? '(any)'} and path "${route.path}"`);
  if (isFolder) node.folder = route;
  else node.exact = route;
}

function childOf<R>(children: Map<string, TrieNode<R>>, segment: string): TrieNode<R> {
  const known = children.get(segment);
  if (known !== undefined) return known;
  const made = newNode<R>();
  children.set(segment, made);
  return made;
}

function newNode<R>(): TrieNode<R> {
  return { folder: null, exact: null, children: null, bareEnd: null, folderEnd: null };
}
