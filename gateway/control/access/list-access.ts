// What an account can open: the collections it owns, and the resources that links opened to it. Clean URLs, no tokens. Reads only.

import { collectionSubject } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { listMemberships } from '../../store/rows/members.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { collectionsCovering, collectionsOwnedBy } from './collections.ts';
import { readLiveAccount } from './live-account.ts';
import { cleanUrl } from './tokenized-url.ts';

export interface AccessEntry {
  /** Id of the member, or of the collection that is owned. */
  readonly grant: string;
  readonly kind: 'ownership' | 'link';
  /** The link's label, or the collection's name. */
  readonly label: string;
  readonly url: string;
  readonly host: string;
  readonly path: string;
  /** Name or address of the account that gave the access; null for the owner. */
  readonly givenBy: string | null;
  readonly sinceAt: EpochSeconds | null;
  readonly untilAt: EpochSeconds | null;
}

const maxEntries = 200;

/** @throws StoreAway */
export async function listAccess(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
): Promise<readonly AccessEntry[]> {
  const { sql } = context.store;
  const [config, now] = [context.config(), context.clock.epochSeconds()];
  const reference = { account: actor.accountId, session: actor.sessionId, device: actor.deviceId };
  const account = await readLiveAccount(sql, reference, now);
  if (account === null) return [];
  const owned = collectionsOwnedBy(config, account.email).map(({ name, host, path }): AccessEntry => {
    const url = cleanUrl(config, host, path);
    return {
      grant: collectionSubject(name),
      kind: 'ownership',
      label: name,
      url,
      host,
      path,
      givenBy: null,
      sinceAt: null,
      untilAt: null,
    };
  });
  const rows = await listMemberships(sql, account.id, now, maxEntries);
  const joined = rows
    .filter((row) => collectionsCovering(config, row.host, row.path).some(({ name }) => name === row.collection))
    .map(
      (row): AccessEntry => ({
        grant: row.id,
        kind: 'link',
        label: row.label,
        url: cleanUrl(config, row.host, row.path),
        host: row.host,
        path: row.path,
        givenBy: row.ownerName || row.ownerEmail,
        sinceAt: row.claimedAt,
        untilAt: row.accessUntilAt,
      }),
    );
  return [...owned, ...joined];
}
