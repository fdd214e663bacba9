// What a tokenized URL is worth before anybody is asked who they are: whether its pair is right, and whether the link lives.
// Reads only. Whoever does not have the pair learns nothing: a wrong key, a wrong secret and no link at all are one answer.

import type { Config } from '../../config/compiled/config.ts';
import { digestLinkSecret, isLinkSecret, type LinkState, linkState, parseLinkToken } from '../../core/model/link.ts';
import { covers } from '../../core/model/path.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { readPersonName } from '../../store/rows/accounts.ts';
import { findLink, type LinkRow } from '../../store/rows/links.ts';
import { collectionsCovering } from '../access/collections.ts';
import type { ControlContext } from '../context/control-context.ts';
import { termsOf } from './link-view.ts';

/** A tokenized URL, taken apart; nothing of it is checked. `host` and `path` are canonical. */
export interface Presentation {
  readonly host: string;
  readonly path: string;
  /** Value of the parameter `key`; empty when it is missing. */
  readonly key: string;
  /** Value of the parameter `authtoken`. A secret. */
  readonly token: string;
}

/** What a visitor with the right pair is told before they sign in or claim. */
export interface PresentedLink {
  readonly kind: 'link';
  readonly linkId: string;
  readonly label: string;
  /** Name or address of the owner. */
  readonly ownerName: string;
  readonly state: LinkState;
  readonly host: string;
  readonly path: string;
  readonly accessUntilAt: EpochSeconds | null;
}

/** Compared with when there is no link, so that its absence takes the same time. */
const noDigest = digestLinkSecret('');

/** The link of a presentation, when its pair is right and the link covers the place; null otherwise. */
export async function findPresentedLink(sql: Sql, presented: Presentation): Promise<LinkRow | null> {
  const token = parseLinkToken(presented.token);
  if (token === null) return null;
  const link = await findLink(sql, token.linkId);
  const isSecret = isLinkSecret(link?.secret_digest ?? noDigest, token.secret);
  if (link === null || !isSecret || link.access_key_id !== presented.key) return null;
  return link.host === presented.host && covers(link.path, presented.path) ? link : null;
}

/** @throws StoreAway */
export async function presentLink(
  context: ControlContext,
  presented: Presentation,
): Promise<PresentedLink | { readonly kind: 'wrong-pair' }> {
  const link = await findPresentedLink(context.store.sql, presented);
  const config = context.config();
  // A collection that is not configured any more: its links lead nowhere.
  if (link === null || !isInCollection(config, link)) return { kind: 'wrong-pair' };
  return {
    kind: 'link',
    linkId: link.id,
    label: link.label,
    ownerName: await ownerNameOf(context.store.sql, link, config.portal?.name ?? 'latchkey'),
    state: linkState(termsOf(link), context.clock.epochSeconds()),
    host: link.host,
    path: link.path,
    accessUntilAt: link.access_until_at,
  };
}

/** @param otherwise  what stands for an owner without an account: the operator's name for the installation */
async function ownerNameOf(sql: Sql, link: LinkRow, otherwise: string): Promise<string> {
  return (await readPersonName(sql, link.owner_id)) ?? otherwise;
}

/** Whether the link's collection is still configured, and still covers it. */
export function isInCollection(config: Config, link: LinkRow): boolean {
  return collectionsCovering(config, link.host, link.path).some(({ name }) => name === link.collection);
}
