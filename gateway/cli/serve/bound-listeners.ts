// The addresses that visitors come to, bound once by the supervisor and held for as long as the gateway runs.
// Edges inherit them: all listen on the same queue of the kernel, so a connection that waits there is not lost when an edge
// goes, not even when it was the only one. The supervisor itself never accepts.

import { lookup } from 'node:dns/promises';
import { BoundSocket, isIP } from 'node:net';
import type { ListenAddress } from '../../config/config.ts';

/** An address could not be bound: where it stands in the configuration, and the system's word for why. */
export interface BindProblem {
  readonly at: string;
  readonly code: string;
}

/** Bound addresses, in the order of the configuration. */
export class BoundListeners {
  readonly #sockets: readonly BoundSocket[];

  private constructor(sockets: readonly BoundSocket[]) {
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

  /** For a child's `stdio`: it gets copies of its own. */
  get fds(): number[] {
    return this.#sockets.map((socket) => socket.fd());
  }

  /** From here on, once the last edge stopped listening, the system refuses connections. */
  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
