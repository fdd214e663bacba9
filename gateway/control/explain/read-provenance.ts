// Reads the chain of provenance behind recorded decisions: accounts, sessions, devices, members, links, owners, and what of it was
// revoked when. Reads rows only; every list is bounded. What is gone from the store is said to be gone.

import type { Config } from '../../config/compiled/config.ts';
import type { DecisionRecord } from '../../core/model/decision-record.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Store } from '../../store/port/store.ts';

/** One step of the chain, in the order in which it reads. */
export interface ChainLink {
  /** When; null for what has no moment, like an owner in the configuration. */
  readonly at: EpochSeconds | null;
  /** Id of what it is about, or null. */
  readonly node: string | null;
  readonly text: string;
}

/** Where the rows are read, and which collections are configured now. */
export interface ProvenanceContext {
  readonly store: Pick<Store, 'sql'>;
  readonly config: () => Pick<Config, 'collections'>;
}

/** Ids of one decision are at most 16 nodes for each of a few tokens. */
const maxNodes = 64;
const maxRows = 64;

export async function readProvenance(
  context: ProvenanceContext,
  records: readonly DecisionRecord[],
): Promise<ChainLink[]> {
  const nodes = nodesOf(records);
  const links = [
    ...(await accounts(context, nodes)),
    ...(await sessionsAndDevices(context, nodes)),
    ...(await membersAndLinks(context, nodes, records)),
    ...(await revocations(context, nodes, records)),
  ];
  return links;
}

function nodesOf(records: readonly DecisionRecord[]): string[] {
  const nodes = new Set<string>();
  const add = (...ids: readonly (string | null | undefined)[]): void => {
    for (const id of ids) if (typeof id === 'string' && nodes.size < maxNodes) nodes.add(id);
  };
  for (const { user, grant, nodes: own, holder, presented, claim } of records) {
    add(user, grant, ...own);
    for (const token of holder === null ? presented : [holder, ...presented])
      add(token.sub, token.grant, token.session, token.device, ...(token.nodes ?? []));
    if (claim !== undefined) add(claim.account, claim.device, claim.link, claim.member, claim.accessKey);
  }
  return [...nodes];
}

const only = (nodes: readonly string[], prefix: string): string[] => nodes.filter((node) => node.startsWith(prefix));

async function accounts({ store }: ProvenanceContext, nodes: readonly string[]): Promise<ChainLink[]> {
  const ids = only(nodes, 'ac_');
  if (ids.length === 0) return [];
  const rows = await store.sql
    .selectFrom('accounts')
    .select(['id', 'email', 'state', 'created_at'])
    .where('id', 'in', ids)
    .execute();
  return rows.map((row) => ({
    at: row.created_at,
    node: row.id,
    text: `account ${row.state === 'deleted' ? '(deleted)' : row.email}, ${row.state}`,
  }));
}

async function sessionsAndDevices({ store }: ProvenanceContext, nodes: readonly string[]): Promise<ChainLink[]> {
  const sessionIds = only(nodes, 'se_');
  const deviceIds = only(nodes, 'dv_');
  const links: ChainLink[] = [];
  if (sessionIds.length > 0) {
    const rows = await store.sql
      .selectFrom('sessions')
      .select(['id', 'device_id', 'created_at', 'ended_at'])
      .where('id', 'in', sessionIds)
      .execute();
    for (const row of rows) {
      links.push({ at: row.created_at, node: row.id, text: `signed in, on device ${row.device_id}` });
      if (row.ended_at !== null) links.push({ at: row.ended_at, node: row.id, text: 'that session was ended' });
    }
  }
  if (deviceIds.length > 0) {
    const rows = await store.sql
      .selectFrom('devices')
      .select(['id', 'name', 'created_at', 'ended_at'])
      .where('id', 'in', deviceIds)
      .execute();
    for (const row of rows) {
      links.push({ at: row.created_at, node: row.id, text: `device “${row.name}”, first seen` });
      if (row.ended_at !== null) links.push({ at: row.ended_at, node: row.id, text: 'that device was ended' });
    }
  }
  return links;
}

/** Members and links that are named, and of a refused account what it once had at that host. */
async function membersAndLinks(
  { store, config }: ProvenanceContext,
  nodes: readonly string[],
  records: readonly DecisionRecord[],
): Promise<ChainLink[]> {
  const memberIds = only(nodes, 'me_');
  const linkIds = only(nodes, 'li_');
  const refusedAt = records.filter(({ outcome }) => outcome === 'deny').map(({ host }) => host);
  const accountIds = refusedAt.length > 0 ? only(nodes, 'ac_') : [];
  const rows = await store.sql
    .selectFrom('members')
    .innerJoin('links', 'links.id', 'members.link_id')
    .leftJoin('accounts', 'accounts.id', 'links.owner_id')
    .select([
      'members.id as member',
      'members.account_id as account',
      'members.device_id as device',
      'members.claimed_at as claimedAt',
      'members.revoked_at as memberRevokedAt',
      'members.link_id as link',
      'accounts.email as owner',
    ])
    .where((is) =>
      is.or([
        is('members.id', 'in', [...memberIds, '']),
        is.and([is('members.account_id', 'in', [...accountIds, '']), is('members.host', 'in', [...refusedAt, ''])]),
      ]),
    )
    .orderBy('members.claimed_at')
    .limit(maxRows)
    .execute();
  const links: ChainLink[] = [];
  for (const row of rows) {
    const device = row.device === null ? '' : ` on device ${row.device}`;
    links.push({ at: row.claimedAt, node: row.member, text: `${row.account} came in by link ${row.link}${device}` });
    if (row.memberRevokedAt !== null)
      links.push({ at: row.memberRevokedAt, node: row.member, text: 'this access was taken back' });
  }
  const allLinks = [...new Set([...linkIds, ...rows.map(({ link }) => link)])];
  if (allLinks.length === 0) return links;
  const made = await store.sql
    .selectFrom('links')
    .leftJoin('accounts', 'accounts.id', 'links.owner_id')
    .select([
      'links.id as id',
      'links.label as label',
      'links.collection as collection',
      'links.host as host',
      'links.path as path',
      'links.created_at as createdAt',
      'links.revoked_at as revokedAt',
      'links.revoked_by as revokedBy',
      'links.access_until_at as accessUntilAt',
      'links.owner_id as ownerId',
      'accounts.email as owner',
    ])
    .where('links.id', 'in', allLinks)
    .limit(maxRows)
    .execute();
  for (const row of made) {
    const by = row.owner ?? row.ownerId;
    const place = `${row.host}${row.path}`;
    links.push({ at: row.createdAt, node: row.id, text: `link “${row.label}” to ${place}, made by ${by}` });
    if (row.accessUntilAt !== null)
      links.push({ at: row.accessUntilAt, node: row.id, text: 'end of what comes through this link' });
    if (row.revokedAt !== null)
      links.push({ at: row.revokedAt, node: row.id, text: `this link was revoked by ${row.revokedBy ?? 'somebody'}` });
    const collection = config().collections.find(({ name }) => name === row.collection);
    const owners = collection === undefined ? 'not configured any more' : `owned by ${collection.owners.join(', ')}`;
    links.push({ at: null, node: `co_${row.collection}`, text: `collection ${row.collection}: ${owners}` });
  }
  return links;
}

/** What the change log says of the nodes: before the decision it is the reason, after it it is news. */
async function revocations(
  { store }: ProvenanceContext,
  nodes: readonly string[],
  records: readonly DecisionRecord[],
): Promise<ChainLink[]> {
  if (nodes.length === 0) return [];
  const rows = await store.sql
    .selectFrom('changes')
    .select(['epoch', 'seq', 'node', 'at'])
    .where('kind', '=', 'revoke')
    .where('node', 'in', [...nodes])
    .orderBy('seq')
    .limit(maxRows)
    .execute();
  const known = records.findLast(({ position }) => position !== null)?.position ?? null;
  return rows.map(({ epoch, seq, node, at }) => {
    const isNews = known !== null && known.epoch === epoch && seq > known.seq;
    return { at, node, text: `revoked${isNews ? ', after this was decided' : ''} (place ${seq} of the change log)` };
  });
}
