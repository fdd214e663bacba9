// Where control's servers listen: Unix sockets that only this user may open, and the address for operations.

import { chmodSync, rmSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from '../../config/compiled/config.ts';

/** An address that could not be listened on; `at` is the place of the address in the configuration. */
class ListenFailure extends Error {
  readonly code: string;
  readonly at: string;

  constructor(at: string, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'UNKNOWN';
    super(`${at}: cannot listen (${code})`, { cause });
    this.code = code;
    this.at = at;
  }
}

/** Listens on a Unix socket that only this user may open. A file that stands at the path is replaced. */
export async function listenOnSocket(server: FastifyInstance, path: string): Promise<void> {
  // A control that was killed leaves its sockets behind; the data folder's lock says that no other process listens on them.
  rmSync(path, { force: true });
  await server.listen({ path });
  chmodSync(path, 0o600);
}

/** Listens on a configured address. @returns the port, also where 0 was asked for @throws ListenFailure */
export async function listenOnAddress(server: FastifyInstance, address: ListenAddress, port: number): Promise<number> {
  try {
    await server.listen({ host: address.host, port });
  } catch (error) {
    throw new ListenFailure(address.at, error);
  }
  const bound = server.server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : address.port;
}
