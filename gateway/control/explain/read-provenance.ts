// Reads the chain of provenance behind recorded decisions: accounts, sessions, devices, members, links, owners, credentials, keys, shares, and
// what of it was revoked when. Reads rows only; every list is bounded. A row that is gone from the store is reported as gone.

import type { Config } from '../../config/compiled/config.ts';
import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import type { DecisionRecord } from '../../core/decision/verdict/decision-record.ts';
import { collectionSubject, type IdKind, isOfKind } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Store } from '../../store/port/store.ts';
import {
  findNamedAccounts,
  findNamedDevices,
  findNamedLinks,
  findNamedMembers,
  findNamedSessions,
  findNodeRevocations,
} from '../../store/rows/provenance.ts';
import { readKeyProvenance } from './read-key-provenance.ts';

/** One step of the chain, in the order in which it reads. */
export interface ChainLink {
  /** When the step happened; null for a step without a moment, like an owner in the configuration. */
  readonly at: EpochSeconds | null;
  /** Id of the row that the step is about, or null. */
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

export async function readProvenance(
  context: ProvenanceContext,
  records: readonly DecisionRecord[],
): Promise<ChainLink[]> {
  const nodes = nodesOf(records);
  const links = [
    ...(await accounts(context, nodes)),
    ...(await sessionsAndDevices(context, nodes)),
    ...(await membersAndLinks(context, nodes, records)),
    ...(await keysAndShares(context, nodes, records)),
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

const only = (nodes: readonly string[], kind: IdKind): string[] => nodes.filter((node) => isOfKind(kind, node));

async function accounts({ store }: ProvenanceContext, nodes: readonly string[]): Promise<ChainLink[]> {
  const rows = await findNamedAccounts(store.sql, only(nodes, 'account'));
  return rows.map((row) => ({
    at: row.createdAt,
    node: row.id,
    text: `account ${row.state === 'deleted' ? '(deleted)' : row.email}, ${row.state}`,
  }));
}

async function sessionsAndDevices({ store }: ProvenanceContext, nodes: readonly string[]): Promise<ChainLink[]> {
  const links: ChainLink[] = [];
  for (const row of await findNamedSessions(store.sql, only(nodes, 'session'))) {
    links.push({ at: row.createdAt, node: row.id, text: `signed in, on device ${row.deviceId}` });
    if (row.endedAt !== null) links.push({ at: row.endedAt, node: row.id, text: 'that session was ended' });
  }
  for (const row of await findNamedDevices(store.sql, only(nodes, 'device'))) {
    links.push({ at: row.createdAt, node: row.id, text: `device “${row.name}”, first seen` });
    if (row.endedAt !== null) links.push({ at: row.endedAt, node: row.id, text: 'that device was ended' });
  }
  return links;
}

/** The members and links that the records name, and the access that a refused account once had at that host. */
async function membersAndLinks(
  { store, config }: ProvenanceContext,
  nodes: readonly string[],
  records: readonly DecisionRecord[],
): Promise<ChainLink[]> {
  const members = await findNamedMembers(store.sql, only(nodes, 'member'), refusedAt(nodes, records));
  const links: ChainLink[] = [];
  for (const { id, accountId, linkId, deviceId, claimedAt, revokedAt } of members) {
    const device = deviceId === null ? '' : ` on device ${deviceId}`;
    links.push({ at: claimedAt, node: id, text: `${accountId} came in by link ${linkId}${device}` });
    if (revokedAt !== null) links.push({ at: revokedAt, node: id, text: 'this access was taken back' });
  }
  const linkIds = new Set([...only(nodes, 'link'), ...members.map(({ linkId }) => linkId)]);
  for (const row of await findNamedLinks(store.sql, [...linkIds])) {
    // a deleted account keeps its row, with an empty address
    const by = row.ownerEmail || row.ownerId;
    const place = `${row.host}${row.path}`;
    links.push({ at: row.createdAt, node: row.id, text: `link “${row.label}” to ${place}, made by ${by}` });
    if (row.accessUntilAt !== null)
      links.push({ at: row.accessUntilAt, node: row.id, text: 'end of what comes through this link' });
    if (row.revokedAt !== null)
      links.push({ at: row.revokedAt, node: row.id, text: `this link was revoked by ${row.revokedBy ?? 'somebody'}` });
    links.push(collectionStep(config(), row.collection));
  }
  return links;
}

/** Credentials, keys, shares and representations, from the credential down to what the account holds. */
async function keysAndShares(
  { store, config }: ProvenanceContext,
  nodes: readonly string[],
  records: readonly DecisionRecord[],
): Promise<ChainLink[]> {
  const { steps, collections } = await readKeyProvenance(store.sql, nodes, refusedAt(nodes, records));
  return [...steps, ...collections.map((name) => collectionStep(config(), name))];
}

/** Accounts that were refused, and the hosts where: what they had there once may explain the refusal. */
function refusedAt(nodes: readonly string[], records: readonly DecisionRecord[]) {
  const hosts = records.filter(({ outcome }) => outcome === 'deny').map(({ host }) => host);
  return { accountIds: hosts.length > 0 ? only(nodes, 'account') : [], hosts };
}

function collectionStep({ collections }: Pick<Config, 'collections'>, name: string): ChainLink {
  const collection = collections.find((each) => each.name === name);
  const facts = collection === undefined ? 'not configured any more' : collectionFacts(collection);
  return { at: null, node: collectionSubject(name), text: `collection ${name}: ${facts}` };
}

function collectionFacts({ owners, methods }: CollectionConfig): string {
  const by = `owned by ${owners.length === 0 ? 'nobody' : owners.join(', ')}`;
  return methods === null ? by : `${by}, open for ${methods.join(', ')} only`;
}

/** Revocations of the nodes in the change log: a revocation before the decision is its reason, a later one is told as later. */
async function revocations(
  { store }: ProvenanceContext,
  nodes: readonly string[],
  records: readonly DecisionRecord[],
): Promise<ChainLink[]> {
  const known = records.findLast(({ position }) => position !== null)?.position ?? null;
  return (await findNodeRevocations(store.sql, nodes)).map(({ epoch, seq, node, at }) => {
    const isNews = known !== null && known.epoch === epoch && seq > known.seq;
    return { at, node, text: `revoked${isNews ? ', after this was decided' : ''} (place ${seq} of the change log)` };
  });
}
