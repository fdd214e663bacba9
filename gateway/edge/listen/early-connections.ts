// Connections that do not speak HTTP yet: in a PROXY header, before a ClientHello, in a handshake. They cost a client nothing and
// hold a place for as long as a head may take, so they are bounded; beyond that the client network that holds most gives up its
// oldest. A network with one such connection never loses it to a network that holds many.

import type { Socket } from 'node:net';
import { networkOf } from '../request/rate-limits.ts';

export class EarlyConnections {
  readonly #max: () => number;
  readonly #onCut: () => void;
  /** By network, oldest first; a set is never empty. */
  readonly #networks = new Map<string, Set<Socket>>();
  readonly #networkOf = new Map<Socket, string>();

  /**
   * @param max    connections at once, asked each time because a reload may change it
   * @param onCut  called for each one that was ended to make room
   */
  constructor(max: () => number, onCut: () => void) {
    this.#max = max;
    this.#onCut = onCut;
  }

  get size(): number {
    return this.#networkOf.size;
  }

  /** Takes a connection in, or counts it for another client from now on: the client that its PROXY header named. */
  add(socket: Socket, clientAddress: string): void {
    this.delete(socket);
    const network = networkOf(clientAddress);
    const own = this.#networks.get(network);
    if (own === undefined) this.#networks.set(network, new Set([socket]));
    else own.add(socket);
    this.#networkOf.set(socket, network);
    while (this.#networkOf.size > this.#max()) this.#cutOne();
  }

  delete(socket: Socket): void {
    const network = this.#networkOf.get(socket);
    if (network === undefined) return;
    this.#networkOf.delete(socket);
    const own = this.#networks.get(network);
    own?.delete(socket);
    if (own?.size === 0) this.#networks.delete(network);
  }

  /** Ends all connections that do not speak HTTP yet. */
  destroy(): void {
    for (const socket of [...this.#networkOf.keys()]) socket.destroy();
  }

  #cutOne(): void {
    let most: Set<Socket> | null = null;
    for (const sockets of this.#networks.values()) if (most === null || sockets.size > most.size) most = sockets;
    const [oldest] = most ?? [];
    if (oldest === undefined) return;
    this.delete(oldest);
    this.#onCut();
    oldest.destroy();
  }
}
