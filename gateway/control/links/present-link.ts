// Checks a tokenized URL before the visitor is asked to sign in: whether its pair of key and token is right, and whether the link is live.
// Reads only. A visitor without the right pair learns nothing: a wrong key, a wrong secret and an unknown link get the same answer.

import type { Config } from '../../config/compiled/config.ts';
import { digestLinkSecret, isLinkSecret, type LinkState, linkState, parseLinkToken } from '../../core/model/link.ts';
import { canonicalPath, covers } from '../../core/model/path.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../../store/port/store.ts';
import { readPersonName } from '../../store/rows/accounts.ts';
import { findLink, type LinkRow } from '../../store/rows/links.ts';
import { collectionsCovering } from '../access/collections.ts';
import type { ControlContext } from '../context/control-context.ts';
import { termsOf } from './link-view.ts';

/** A tokenized URL, taken apart; key and token are not checked yet. `host` and `path` are canonical. */
export interface Presentation {
  readonly host: string;
  readonly path: string;
  /** Value of the parameter `key`; empty when the parameter is missing. */
  readonly key: string;
  /** Value of the parameter `authtoken`. A secret. */
  readonly token: string;
}

/** The facts that a visitor with the right pair is told before they sign in or claim. */
export interface PresentedLink {
  readonly kind: 'link';
  readonly linkId: string;
  readonly label: string;
  /** Name or address of the owner. */
  readonly ownerName: string;
  readonly state: LinkState;
  /** Name of the collection. */
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  readonly accessUntilAt: EpochSeconds | null;
}

/** The digest that a secret is compared with when there is no link, so that an unknown link takes the same time. */
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
  // When the collection is not configured any more, its links lead nowhere.
  if (link === null || !isInCollection(config, link)) return { kind: 'wrong-pair' };
  return {
    kind: 'link',
    linkId: link.id,
    label: link.label,
    ownerName: await ownerNameOf(context.store.sql, link, config.portal?.name ?? 'latchkey'),
    state: linkState(termsOf(link), context.clock.epochSeconds()),
    collection: link.collection,
    host: link.host,
    path: link.path,
    accessUntilAt: link.access_until_at,
  };
}

/**
 * Whether a link is good for somebody who is not on its list yet: its pair is right, it lives, it can be claimed now, and it was not made for
 * another address.
 *
 * @param place  as a browser carried it: `returnPath` is path and query, without the pair
 * @param email  of that person, normalised
 * @param unit   to ask within a unit of work
 * @throws StoreAway
 */
export async function isLinkThatTakes(
  context: Pick<ControlContext, 'store' | 'config' | 'clock'>,
  place: {
    readonly host: string;
    readonly returnPath: string;
    readonly link: Pick<Presentation, 'key' | 'token'> | null;
  },
  email: string,
  unit?: Pick<Unit, 'sql'>,
): Promise<boolean> {
  if (place.link === null) return false;
  const path = canonicalPath(place.returnPath.split('?', 1)[0] ?? '') ?? '';
  const link = await findPresentedLink((unit ?? context.store).sql, { host: place.host, path, ...place.link });
  if (link === null || !isInCollection(context.config(), link)) return false;
  if (link.for_email !== null && link.for_email !== email) return false;
  return linkState(termsOf(link), context.clock.epochSeconds()) === 'open';
}

/** @param otherwise  the name to show for an owner without an account: the operator's name for the installation */
export async function ownerNameOf(sql: Sql, link: LinkRow, otherwise: string): Promise<string> {
  return (await readPersonName(sql, link.owner_id)) ?? otherwise;
}

/** Whether the link's collection is still configured and still covers the link's path. */
export function isInCollection(config: Config, link: LinkRow): boolean {
  return collectionsCovering(config, link.host, link.path).some(({ name }) => name === link.collection);
}
