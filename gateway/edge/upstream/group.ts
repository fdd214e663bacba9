// The servers of one upstream, and which of them is next: the server with the fewest requests, or the one a key belongs to.
// Servers that are ejected or unhealthy are left out while another one is there; when there is none, they are used all the
// same, because a server that may answer is better than an answer of 503.

import type { Balance } from '../../config/compiled/upstream-config.ts';
import type { Described } from '../request/describe.ts';
import { keyOf, noKey, score } from './balance.ts';
import type { UpstreamConnection } from './connection.ts';
import type { UpstreamServerPool } from './pool.ts';

/** A server and its share of the requests. */
interface GroupMember {
  readonly server: UpstreamServerPool;
  readonly weight: number;
}

export class UpstreamGroup {
  readonly name: string;
  readonly servers: readonly UpstreamServerPool[];
  readonly #members: readonly GroupMember[];
  /** Where keys come from; null when the server with the fewest requests is next. */
  readonly #hashing: Balance | null;
  /** The order of turns among servers with equally many requests; a server stands in it as often as its weight says. */
  readonly #turns: readonly GroupMember[];
  #turn = 0;

  constructor(name: string, members: readonly GroupMember[], balance: Balance) {
    this.name = name;
    this.servers = members.map(({ server }) => server);
    this.#members = members;
    this.#hashing = balance.kind === 'least-connections' ? null : balance;
    this.#turns = spread(members);
    const peers = this.servers.map(({ health }) => health);
    for (const { health } of this.servers) health.peers = peers;
  }

  /** What decides where a request goes; `noKey` when the number of connections does. */
  keyOf(request: Described): number {
    return this.#hashing === null || this.servers.length < 2 ? noKey : keyOf(this.#hashing, request);
  }

  /**
   * @param avoid  a server that just failed (its pool); not used for this request again while there are others
   * @param fresh  true: a new connection, never an idle one
   * @param mayJoin  true: may share a connection where the upstream takes pipelining
   * @param key    what `keyOf` said
   * @returns null when every server that may be used has as many connections as it may have
   */
  acquire(avoid: object | null, fresh: boolean, mayJoin: boolean, key: number): UpstreamConnection | null {
    const server = key === noKey ? this.#pick(avoid) : this.#pickByKey(avoid, key);
    if (server === null) return null;
    if (fresh) return server.connect();
    return mayJoin ? server.takeShared() : (server.takeIdle() ?? server.connect());
  }

  /** The server with the fewest requests in relation to its weight; equals take turns. */
  #pick(avoid: object | null): UpstreamServerPool | null {
    if (this.servers.length === 1) return this.servers[0] ?? null;
    const turns = this.#turns;
    let best: GroupMember | null = null;
    let rank = Number.POSITIVE_INFINITY;
    const start = this.#turn;
    let next = start;
    for (let step = 0; step < turns.length; step++) {
      const at = (start + step) % turns.length;
      const member = turns[at];
      if (member === undefined) continue;
      const { server, weight } = member;
      const own = server.health.rank;
      if (own > rank || server === avoid) continue;
      if (own < rank) {
        rank = own;
        best = null;
      }
      if (server.isFull) continue;
      if (best === null || server.inUse * best.weight < best.server.inUse * weight) {
        best = member;
        next = at + 1;
      }
    }
    // The next turn begins behind the chosen server, so a server that is left out gives its turns to all others alike. A second
    // attempt takes no turn, or of two servers the broken one would always be first.
    if (avoid === null) this.#turn = next;
    return best?.server ?? null;
  }

  /** The server that wants the key most, of those that may be used. */
  #pickByKey(avoid: object | null, key: number): UpstreamServerPool | null {
    let best: UpstreamServerPool | null = null;
    let bestScore = Number.POSITIVE_INFINITY;
    let rank = Number.POSITIVE_INFINITY;
    for (const { server, weight } of this.#members) {
      const own = server.health.rank;
      if (own > rank || server === avoid) continue;
      if (own < rank) {
        rank = own;
        best = null;
        bestScore = Number.POSITIVE_INFINITY;
      }
      if (server.isFull) continue;
      const wish = score(key, server.seed, weight);
      if (wish < bestScore) {
        best = server;
        bestScore = wish;
      }
    }
    return best;
  }
}

/** Each member as often as its weight says, spread as evenly as possible (smooth weighted round robin). */
function spread(members: readonly GroupMember[]): readonly GroupMember[] {
  const divisor = members.reduce((common, { weight }) => greatestDivisor(common, weight), 0);
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const credit = members.map(() => 0);
  const turns: GroupMember[] = [];
  for (let turn = 0; turn < total / divisor; turn++) {
    let first = 0;
    members.forEach(({ weight }, at) => {
      credit[at] = (credit[at] ?? 0) + weight;
      if ((credit[at] ?? 0) > (credit[first] ?? 0)) first = at;
    });
    credit[first] = (credit[first] ?? 0) - total;
    const member = members[first];
    if (member !== undefined) turns.push(member);
  }
  return turns;
}

function greatestDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestDivisor(right, left % right);
}
