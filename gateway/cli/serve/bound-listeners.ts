// The sockets of the listeners, bound once by the supervisor and held for as long as the gateway runs.
// Edges inherit the sockets and listen on the same queue of the kernel, so a waiting connection is not lost when an edge ends, not even
// when it was the only edge. The supervisor itself never accepts. When no edge can start, the addresses are bound again without listening:
// then the system refuses connections at once, and clients do not wait for an edge that does not come.

import { lookup } from 'node:dns/promises';
import { BoundSocket, isIP } from 'node:net';
import type { ListenAddress } from '../../config/compiled/config.ts';

/** An address could not be bound: where it stands in the configuration, and the system's word for why. */
interface BindProblem {
  readonly at: string;
  readonly code: string;
}

/** Bound addresses, in the order of the configuration. */
export class BoundListeners {
  /** The addresses as they were bound, so that port 0 of the configuration means the same port when they are bound again. */
  readonly #addresses: readonly { readonly host: string; readonly port: number }[];
  #sockets: readonly BoundSocket[];

  private constructor(sockets: readonly BoundSocket[]) {
    this.#addresses = sockets.map((socket) => {
      const { address, port } = socket.address();
      return { host: address, port };
    });
    this.#sockets = sockets;
  }

  /** Binds all addresses or none. Does not listen: the first edge does. */
  static async bind(addresses: readonly ListenAddress[]): Promise<BoundListeners | BindProblem> {
    const sockets: BoundSocket[] = [];
    for (const { at, host, port } of addresses) {
      try {
        const address = isIP(host) === 0 ? (await lookup(host)).address : host;
        sockets.push(new BoundSocket({ host: address, port }));
      } catch (error) {
        for (const socket of sockets) socket.close();
        return { at, code: error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN' };
      }
    }
    return new BoundListeners(sockets);
  }

  /** File descriptors for a child's `stdio`; the child gets copies. Empty when the addresses could not be bound again. */
  get fds(): number[] {
    if (this.#sockets.length === 0) this.#bindAgain();
    return this.#sockets.map((socket) => socket.fd());
  }

  /**
   * Closes the sockets with the connections that wait on them, and binds the addresses again; the next edge listens. No edge may run
   * meanwhile, because its copy of a socket would go on listening.
   */
  renew(): void {
    this.close();
    this.#sockets = [];
    this.#bindAgain();
  }

  /** Closes the sockets. The system refuses connections once the last edge has closed its copies too. */
  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  /** Fails when another program took an address meanwhile: then the next edge binds the address itself, and reports the problem. */
  #bindAgain(): void {
    const sockets: BoundSocket[] = [];
    try {
      for (const address of this.#addresses) sockets.push(new BoundSocket(address));
      this.#sockets = sockets;
    } catch {
      for (const socket of sockets) socket.close();
    }
  }
}
