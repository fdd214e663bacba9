// Runs the whole panel over everything that was forwarded, a few replays at a time for each peer.

import { type PeerName, peerNames, startPeer } from './peers.ts';
import { type PanelResult, replay } from './replay.ts';

/** Per peer and row id, how the peer read the forwarded request of the row; null for a peer that is not installed. */
type PanelRun = ReadonlyMap<PeerName, ReadonlyMap<string, readonly PanelResult[]> | null>;

/** A forwarded request and the rows that it came from. */
export interface Forwarding {
  readonly rowIds: Set<string>;
  readonly raw: Buffer;
}

const atOnce = 8;

export async function runPanel(forwardings: readonly Forwarding[]): Promise<PanelRun> {
  const results = new Map<PeerName, ReadonlyMap<string, readonly PanelResult[]> | null>();
  await Promise.all(peerNames.map(async (name) => results.set(name, await runPeer(name, forwardings))));
  return results;
}

async function runPeer(name: PeerName, forwardings: readonly Forwarding[]): Promise<Map<string, PanelResult[]> | null> {
  const peer = await startPeer(name);
  if (peer === null) return null;
  const found = new Map<string, PanelResult[]>();
  try {
    const queue = [...forwardings];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const result = await replay(peer, next.raw);
        for (const rowId of next.rowIds) found.set(rowId, [...(found.get(rowId) ?? []), result]);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    await peer.close();
  }
  return found;
}

/** Requests that the gateway lets through and a peer refuses or changes, and why the peer may do so. */
export const knownDifferences: ReadonlyMap<string, string> = new Map([
  [
    'apache hop-by-hop.max-forwards',
    'Apache counts Max-Forwards down for every method, not for TRACE and OPTIONS alone',
  ],
  ['apache hop-by-hop.max-forwards-options', 'Apache is a proxy as well, and counts the next step down'],
  // a method that a server does not know is the server's to refuse: none of them reads it as another request
  ...['method-unknown', 'method-longest', 'method-lower-case', 'method-mixed-case'].flatMap((id) =>
    ['node', 'nginx', 'haproxy', 'apache'].map(
      (peer) => [`${peer} start-line.${id}`, 'knows no such method, here or in the Node server behind it'] as const,
    ),
  ),
]);
