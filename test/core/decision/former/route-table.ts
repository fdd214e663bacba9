// Which route a request belongs to: the host decides first, then the longest path inside that host's group.
// Built once per configuration and never changed. It takes canonical hosts, and paths in compared form only.
// The two ends of a name (`/admin`, `/admin/`) are one place to many sites, so it says where they belong to two policies.
// Cost: one map look-up for the host and one per path segment, as deep as the routes go and never as deep as the path.

import { comparedForm } from '../../../../gateway/core/model/path.ts';

/** What the table needs to know of a route. */
export interface RouteAddress {
  /** Lower-case host, `*.example.org` for every host below it, or null for a route without a host. */
  readonly host: string | null;
  /** Canonical path; a folder when it ends in `/`, one exact path otherwise. */
  readonly path: string;
}

/**
 * The path has a route, and its other end (with or without the final `/`) has another one under which the same request would
 * be judged otherwise. So it is forwarded under neither.
 */
export class OtherEnd<R> {
  /** Route of the path as it was asked for. */
  readonly route: R;
  /** Route of the other end. */
  readonly other: R;
  /** The path that was asked for has no final slash: its other end is a folder, to which a visitor can be sent. */
  readonly isFolder: boolean;

  constructor(route: R, other: R, isFolder: boolean) {
    this.route = route;
    this.other = other;
    this.isFolder = isFolder;
  }
}

/** The walk ended at a name with a dot at its end, which some servers drop: its other reading has to be looked up as well. */
export class DottedName<R> {
  readonly found: R | OtherEnd<R> | null;

  constructor(found: R | OtherEnd<R> | null) {
    this.found = found;
  }
}

const dot = 0x2e;

/** One path segment of a group. `folder` is the route of this path with a final `/`, `exact` the one without. */
interface TrieNode<R> {
  folder: R | null;
  exact: R | null;
  children: Map<string, TrieNode<R>> | null;
  /** Where the two ends of this path differ in what they ask; null nearly always. Filled in when the table is complete. */
  bareEnd: OtherEnd<R> | null;
  folderEnd: OtherEnd<R> | null;
}

/**
 * Whether who may ask on the first of two routes may ask on the second as well.
 *
 * @param who  only who is let in is compared, and not what may be asked nor how often
 */
export type Comparison<R> = (route: R, other: R, who?: 'who') => boolean;

/** Routes by host and path. Made by `buildRouteTable`. */
export class RouteTable<R extends RouteAddress> {
  readonly #exact: ReadonlyMap<string, TrieNode<R>>;
  /** By `.example.org`, with the leading dot. */
  readonly #wildcards: ReadonlyMap<string, TrieNode<R>>;
  readonly #hostless: TrieNode<R> | null;

  /** @internal use `buildRouteTable` */
  constructor(
    exact: ReadonlyMap<string, TrieNode<R>>,
    wildcards: ReadonlyMap<string, TrieNode<R>>,
    hostless: TrieNode<R> | null,
  ) {
    this.#exact = exact;
    this.#wildcards = wildcards;
    this.#hostless = hostless;
  }

  /**
   * The route of a request.
   *
   * @param host  from `canonicalHost`
   * @param path  from `comparedForm`
   * @returns null when the host's group has no such path: there is no fall-back to another group
   */
  find(host: string, path: string): R | null {
    const found = this.place(host, path);
    return found instanceof OtherEnd ? found.route : found;
  }

  /** As `find`, and says where the other end of the path has another policy. */
  place(host: string, path: string): R | OtherEnd<R> | null {
    const found = this.walk(host, path);
    return found instanceof DottedName ? found.found : found;
  }

  /** As `place`, and says where a name ends in a dot, which costs nothing here and a search of the whole path elsewhere. */
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

  /** Whether any route could serve this host: a group of its own, a wildcard above it, or routes without a host. */
  knowsHost(host: string): boolean {
    return this.#group(host) !== null;
  }

  /** The hosts and wildcards (`*.example.org`) that the configuration names. For commands and logs. */
  hosts(): { readonly exact: readonly string[]; readonly wildcards: readonly string[]; readonly hostless: boolean } {
    return {
      exact: [...this.#exact.keys()],
      wildcards: [...this.#wildcards.keys()].map((suffix) => `*${suffix}`),
      hostless: this.#hostless !== null,
    };
  }

  #group(host: string): TrieNode<R> | null {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size > 0) {
      // From the left, so that the longest suffix is met first. A leading dot would be an empty label, never a match.
      for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
        const wildcard = this.#wildcards.get(host.slice(dot));
        if (wildcard !== undefined) return wildcard;
      }
    }
    return this.#hostless;
  }
}

/**
 * Builds the table.
 *
 * @param ownHosts  hosts that are known even if no route is for them, like the portal's: only latchkey's own pages are there
 * @param isNoLooser  compares two routes, see `OtherEnd`; by default nothing tells routes apart
 * @throws Error when two routes have the same host and path, or a path is not absolute (the configuration checks before)
 */
export function buildRouteTable<R extends RouteAddress>(
  routes: readonly R[],
  ownHosts: readonly string[] = [],
  isNoLooser: Comparison<R> = () => true,
): RouteTable<R> {
  const exact = new Map<string, TrieNode<R>>();
  const wildcards = new Map<string, TrieNode<R>>();
  let hostless: TrieNode<R> | null = null;
  for (const route of routes) {
    let group: TrieNode<R>;
    if (route.host === null) {
      hostless ??= newNode();
      group = hostless;
    } else if (route.host.startsWith('*.')) {
      group = groupOf(wildcards, route.host.slice(1));
    } else {
      group = groupOf(exact, route.host);
    }
    insert(group, route);
  }
  for (const group of [...exact.values(), ...wildcards.values()]) markEnds(group, group.folder, isNoLooser);
  if (hostless !== null) markEnds(hostless, hostless.folder, isNoLooser);
  const table = new RouteTable(exact, wildcards, hostless);
  // a site without host names may share its host with the portal, so only a host that nobody serves gets an empty group
  const unserved = ownHosts.filter((host) => !table.knowsHost(host));
  for (const host of unserved) exact.set(host, newNode());
  return table;
}

/** The deepest folder on the way, or the exact path at its end, which is longer than any folder. */
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
 * Finds the nodes whose two ends differ. A folder's bare name that falls to the route around it leads a visitor to the folder where
 * that one lets in others or takes less, since nothing is lost by it. An exact name with a slash is stopped where it falls to a looser
 * route. What somebody wrote stands: an open page (`/health`) on a closed site, an open folder in one; and of a name that was
 * written both ways each has its own methods and rates, but no end lets in whom the other one, being stricter, does not.
 *
 * @param above  the route of the folder around the node
 */
function markEnds<R>(node: TrieNode<R>, above: R | null, isNoLooser: Comparison<R>): void {
  for (const child of node.children?.values() ?? []) {
    const { exact, folder } = child;
    if (exact !== null && folder !== null) {
      if (!isNoLooser(exact, folder, 'who')) child.bareEnd = new OtherEnd(exact, folder, true);
      // who is led to the folder has to find it
      else if (!isNoLooser(folder, exact, 'who')) child.folderEnd = new OtherEnd(folder, exact, false);
    } else if (folder !== null && above !== null) {
      // the same people, and no more of what they may: the route around it can judge its bare name as well
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
  // A folder's last piece is empty: the node is the one before it.
  const isFolder = segments.at(-1) === '';
  let node = group;
  for (const segment of isFolder ? segments.slice(1, -1) : segments.slice(1)) {
    node.children ??= new Map();
    node = groupOf(node.children, segment);
  }
  const taken = isFolder ? node.folder : node.exact;
  if (taken !== null) throw new Error(`two routes for host ${route.host ?? '(any)'} and path "${route.path}"`);
  if (isFolder) node.folder = route;
  else node.exact = route;
}

function groupOf<R>(groups: Map<string, TrieNode<R>>, name: string): TrieNode<R> {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const made = newNode<R>();
  groups.set(name, made);
  return made;
}

function newNode<R>(): TrieNode<R> {
  return { folder: null, exact: null, children: null, bareEnd: null, folderEnd: null };
}
