// The tunnels of one edge, for what concerns all of them: a reload, a drain.
// It opens and ends none by itself.

import type { Tunnel } from './tunnel.ts';

// Deciding again costs microseconds each; between so many of them others get their turn.
const sliceSize = 256;

export class OpenTunnels {
  readonly #tunnels = new Set<Tunnel>();

  get count(): number {
    return this.#tunnels.size;
  }

  add(tunnel: Tunnel): void {
    this.#tunnels.add(tunnel);
  }

  delete(tunnel: Tunnel): void {
    this.#tunnels.delete(tunnel);
  }

  all(): Iterable<Tunnel> {
    return this.#tunnels;
  }

  /** Decides again for each that is open now, the first ones before this returns. */
  reconsider(): void {
    this.#reconsiderFrom([...this.#tunnels], 0);
  }

  drain(): void {
    for (const tunnel of [...this.#tunnels]) tunnel.shut('drain');
  }

  #reconsiderFrom(tunnels: readonly Tunnel[], first: number): void {
    for (const tunnel of tunnels.slice(first, first + sliceSize)) tunnel.reconsider();
    const next = first + sliceSize;
    if (next < tunnels.length) setImmediate(() => this.#reconsiderFrom(tunnels, next));
  }
}
