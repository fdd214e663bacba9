// The addresses that visitors come to, bound once by the supervisor and held for as long as the gateway runs.
// Edges inherit them: all listen on the same queue of the kernel, so a connection that waits there is not lost when an edge
// goes, not even when it was the only one. The supervisor itself never accepts. Where no edge comes to be, they are bound anew:
// whoever knocks is refused then, and does not wait for nobody.

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
  /** As they were bound: port 0 of the configuration means the same port again. */
  readonly #addresses: readonly { readonly host: string; readonly port: number }[];
  #sockets: readonly BoundSocket[];

  private constructor(sockets: readonly BoundSocket[]) {
    this.#addresses = sockets.map((socket) => {
      const { address, port } = socket.address();
      return { host: address, port };
    });
    this.#sockets = sockets;
  }

  /** Binds all or none. Nobody listens yet: the first edge does. */
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

  /** For a child's `stdio`: it gets copies of its own. Empty when the addresses could not be bound again. */
  get fds(): number[] {
    if (this.#sockets.length === 0) this.#bindAgain();
    return this.#sockets.map((socket) => socket.fd());
  }

  /**
   * Lets go of the addresses and of what waits there, and binds them again; nobody listens until the next edge does. No edge may run:
   * its copy would go on listening.
   */
  renew(): void {
    this.close();
    this.#sockets = [];
    this.#bindAgain();
  }

  /** From here on, once the last edge stopped listening, the system refuses connections. */
  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  /** Where it fails, somebody else took an address meanwhile: the next edge binds it itself, and says what is wrong. */
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
