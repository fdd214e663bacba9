// The tunnels of one edge, for what concerns all of them: a reload, a change in the log, a drain. What becomes of each tunnel is
// the tunnel's own affair.

import type { Change } from '../../core/model/change.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import type { Tunnel } from './tunnel.ts';

// Deciding again costs microseconds for each tunnel; after so many of them others get their turn.
const sliceSize = 256;
const anyCollection = collectionSubject('');
const nobody: ReadonlySet<string> = new Set();

/** One per edge. */
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

  /**
   * A new configuration: decides again for each tunnel that is open now, the first ones before this returns; and asks control
   * about members, because a collection may have another owner now.
   */
  reconsider(): void {
    inSlices([...this.#tunnels], (tunnel) => {
      tunnel.reconsider();
      tunnel.touched(nobody, true);
    });
  }

  /** A new key ring: decides again for each tunnel that is open now, the first ones before this returns. */
  decideAgain(): void {
    inSlices([...this.#tunnels], (tunnel) => tunnel.reconsider());
  }

  /** Has control asked about tunnels whose access one of these changes may be about. */
  touched(changes: readonly Change[]): void {
    if (this.#tunnels.size === 0) return;
    const nodes = new Set<string>();
    let isCollection = false;
    for (const { kind, node } of changes) {
      if (kind !== 'touch' && kind !== 'revoke') continue;
      nodes.add(node);
      isCollection ||= node.startsWith(anyCollection);
    }
    if (nodes.size > 0) inSlices([...this.#tunnels], (tunnel) => tunnel.touched(nodes, isCollection));
  }

  drain(): void {
    for (const tunnel of [...this.#tunnels]) tunnel.shut('drain');
  }
}

function inSlices(tunnels: readonly Tunnel[], act: (tunnel: Tunnel) => void, first = 0): void {
  for (const tunnel of tunnels.slice(first, first + sliceSize)) act(tunnel);
  const next = first + sliceSize;
  if (next < tunnels.length) setImmediate(() => inSlices(tunnels, act, next));
}
