// Which client may open one more connection: a cap for the edge, a cap for each client address, and room made from idle connections.
// Near the cap the connections that have idled longest end, because their clients lose nothing; only when there is none
// a new one is dropped. Nothing is answered: a flood must not cost answers.

import type { Limits } from '../../config/compiled/config.ts';
import type { IpList } from '../../core/token/ip-list.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import { networkOf } from '../request/rate-limits.ts';

/** A client connection as admission sees it. */
interface AdmittedConnection {
  readonly peerAddress: string;
  /** When it was accepted, by the ticker. */
  readonly openedMs: number;
  /** When it ends by itself unless its client sends something. */
  readonly deadlineMs: number;
  /** The client was told already that the connection ends. */
  readonly isClosing: boolean;
  /** The connection had a request and waits for the next one. */
  readonly isKeptAlive: boolean;
  /** The connection's first request has not come yet. */
  readonly awaitsFirstHead: boolean;
  /** Ends the connection, on which no request runs. */
  shed(): void;
}

/** What admission looks at. A reload changes the values. */
export interface AdmissionScope {
  readonly limits: Limits;
  readonly snapshot: { readonly trustedProxies: IpList | null };
  readonly metrics: EdgeMetrics;
  readonly ticker: { readonly nowMs: number };
}

// A connection that waits for a head this long may have to go: its client had the time to say something.
const leastWaitMs = 1000;

/** Connections above the cap while those that were told to end do so. */
export function admissionSlack(maxConnections: number): number {
  return Math.max(1, maxConnections >> 4);
}

/** Counts connections and makes room. */
export class Admission {
  readonly #scope: AdmissionScope;
  readonly #connections: ReadonlySet<AdmittedConnection>;
  /** Open connections by client, for those that were counted. */
  readonly #byClient = new Map<string, number>();
  readonly #clients = new Map<AdmittedConnection, string>();
  #triedAtMs = Number.NEGATIVE_INFINITY;

  /** @param connections  open client connections, looked at anew each time */
  constructor(scope: AdmissionScope, connections: ReadonlySet<AdmittedConnection>) {
    this.#scope = scope;
    this.#connections = connections;
  }

  /** Whether a connection may stay. Counted when it may; `leave` ends that. */
  admit(connection: AdmittedConnection): boolean {
    const { limits, snapshot } = this.#scope;
    const connections = this.#connections;
    if (connections.size >= limits.maxConnections && !this.#findRoom()) return false;
    const most = limits.maxConnectionsPerAddress;
    if (most === null || snapshot.trustedProxies?.contains(connection.peerAddress)) return true;
    const client = networkOf(connection.peerAddress);
    const open = this.#byClient.get(client) ?? 0;
    if (open >= most) return false;
    this.#byClient.set(client, open + 1);
    this.#clients.set(connection, client);
    return true;
  }

  leave(connection: AdmittedConnection): void {
    const client = this.#clients.get(connection);
    if (client === undefined) return;
    this.#clients.delete(connection);
    const open = this.#byClient.get(client) ?? 0;
    if (open <= 1) this.#byClient.delete(client);
    else this.#byClient.set(client, open - 1);
  }

  /** Ends idle connections until an eighth of the cap is free. */
  tick(): void {
    const { limits } = this.#scope;
    const connections = this.#connections;
    const surplus = connections.size - (limits.maxConnections - (limits.maxConnections >> 3));
    if (surplus > 0) this.#shed(surplus, 'idle');
  }

  /** @returns whether one more connection may come, above the cap for as long as the ended ones need to close */
  #findRoom(): boolean {
    const { limits, ticker } = this.#scope;
    const connections = this.#connections;
    const slack = admissionSlack(limits.maxConnections);
    // all connections are looked through once a tick, and not for each new connection of a flood
    if (ticker.nowMs !== this.#triedAtMs) {
      this.#triedAtMs = ticker.nowMs;
      this.#shed(slack, 'waiting');
    }
    let ending = 0;
    if (connections.size < limits.maxConnections + slack) {
      for (const connection of connections) if (connection.isClosing) ending++;
    }
    return connections.size - ending < limits.maxConnections;
  }

  /** @param which  `waiting`: also those whose first head is late, after the idle ones */
  #shed(count: number, which: 'idle' | 'waiting'): void {
    const { metrics, ticker } = this.#scope;
    let wanted = count;
    const idle: AdmittedConnection[] = [];
    const late: AdmittedConnection[] = [];
    for (const connection of this.#connections) {
      // this connection is ending already, so its room is counted
      if (connection.isClosing) wanted--;
      else if (connection.isKeptAlive) idle.push(connection);
      else if (which === 'waiting' && ticker.nowMs - connection.openedMs >= leastWaitMs && connection.awaitsFirstHead)
        late.push(connection);
    }
    // the connection that has waited longest has the nearest deadline
    const sooner = (one: AdmittedConnection, other: AdmittedConnection) => one.deadlineMs - other.deadlineMs;
    for (const connection of [...idle.sort(sooner), ...late.sort(sooner)].slice(0, Math.max(0, wanted))) {
      metrics.connectionsShed++;
      connection.shed();
    }
  }
}
