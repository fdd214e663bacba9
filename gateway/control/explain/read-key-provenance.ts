// The part of a chain of provenance that is about keys: who has the credential, which key of it opens the place, who gave the key to whom, and
// what of it has ended. Reads rows only; every list is bounded.

import { type IdKind, isOfKind } from '../../core/model/node-id.ts';
import { maxReshareDepth } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import {
  findNamedKeys,
  findNamedRepresentations,
  findNamedShares,
  type NamedShare,
} from '../../store/sharing/key-provenance.ts';

/** One step, as `ChainLink` of read-provenance.ts. */
interface KeyStep {
  readonly at: EpochSeconds | null;
  readonly node: string;
  readonly text: string;
}

interface KeySteps {
  readonly steps: readonly KeyStep[];
  /** Names of the collections that the keys open. */
  readonly collections: readonly string[];
}

/** @param refused  accounts that were refused, and the hosts where */
export async function readKeyProvenance(
  sql: Sql,
  nodes: readonly string[],
  refused: { readonly accountIds: readonly string[]; readonly hosts: readonly string[] },
): Promise<KeySteps> {
  const only = (kind: IdKind): string[] => nodes.filter((node) => isOfKind(kind, node));
  const shares = await withWhatIsAbove(sql, await findNamedShares(sql, only('share'), refused));
  const keys = await findNamedKeys(sql, [...new Set([...only('credentialKey'), ...shares.map(({ keyId }) => keyId)])]);
  const steps: KeyStep[] = [];
  for (const key of keys) {
    // a deleted account keeps its row, with an empty address
    const owner = key.ownerEmail || key.ownerId;
    const credential = `“${key.credentialName}” (${key.issuer})`;
    const say = (at: EpochSeconds | null, node: string, text: string): unknown => steps.push({ at, node, text });
    say(key.issuedAt, key.credentialId, `credential ${credential}, issued to ${owner}`);
    if (key.validFromAt !== null) say(key.validFromAt, key.credentialId, 'this credential is valid from then on');
    if (key.validUntilAt !== null) say(key.validUntilAt, key.credentialId, 'end of what comes by this credential');
    if (key.withdrawnAt !== null) {
      say(key.withdrawnAt, key.credentialId, `this credential was withdrawn by ${key.withdrawnBy ?? 'somebody'}`);
    }
    say(key.createdAt, key.id, `key “${key.name}” of ${credential} opens ${key.host}${key.path}`);
    if (key.removedAt !== null) say(key.removedAt, key.id, `this key was removed by ${key.removedBy ?? 'somebody'}`);
  }
  for (const share of shares) {
    const name = keys.find(({ id }) => id === share.keyId)?.name ?? share.keyId;
    const [giver, address] = [share.giverEmail || share.giverId, share.email || share.accountId];
    const say = (at: EpochSeconds | null, text: string): unknown => steps.push({ at, node: share.id, text });
    say(share.createdAt, `${giver} offered key “${name}” to ${address}${share.depth === 0 ? '' : ', as a re-share'}`);
    if (share.acceptedAt !== null)
      say(share.acceptedAt, `${share.accountId} accepted this share, and holds the key by it`);
    if (share.usableFromAt !== null) say(share.usableFromAt, 'this share opens from then on');
    if (share.usableUntilAt !== null) say(share.usableUntilAt, 'end of what comes through this share');
    if (share.usesLeft !== null) say(null, `by representations alone: ${share.usesLeft} may still be made`);
    if (share.endedAt !== null) say(share.endedAt, `this share was ${share.state} by ${share.endedBy ?? 'somebody'}`);
  }
  for (const made of await findNamedRepresentations(sql, only('representation'))) {
    steps.push({ at: made.createdAt, node: made.id, text: `carried as ${made.kind}` });
    if (made.revokedAt !== null) steps.push({ at: made.revokedAt, node: made.id, text: 'that was ended' });
  }
  return { steps, collections: [...new Set(keys.map(({ collection }) => collection))] };
}

/** The shares and all above them, the top of each chain first: what ended there may explain a refusal below. */
async function withWhatIsAbove(sql: Sql, named: readonly NamedShare[]): Promise<readonly NamedShare[]> {
  const shares = new Map(named.map((share) => [share.id, share]));
  for (let rise = 0; rise < maxReshareDepth; rise++) {
    const missing = [...shares.values()].flatMap(({ parentId }) =>
      parentId === null || shares.has(parentId) ? [] : [parentId],
    );
    if (missing.length === 0) break;
    const above = await findNamedShares(sql, [...new Set(missing)], { accountIds: [], hosts: [] });
    for (const share of above) shares.set(share.id, share);
  }
  return [...shares.values()].sort((one, other) => one.depth - other.depth || one.createdAt - other.createdAt);
}
