// Makes a link: for an owner of a collection, to the collection or to something in it.
// The tokenized URL is in the answer and nowhere else: the store keeps a digest of the secret. US 10,043,025, first step.

import { digestLinkSecret, formatLinkToken, linkSecretBytes } from '../../core/model/link.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/port/store.ts';
import { findActiveAccountId } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { insertLink, type LinkRow } from '../../store/rows/links.ts';
import { collectionNamed } from '../access/collections.ts';
import { tokenizedUrl } from '../access/tokenized-url.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayManage, readAuthority } from './authority.ts';
import { isClaimCount, type LinkProblem, linkLabel, linkMethods, linkPath, timesAreSound } from './link-input.ts';
import { type LinkView, viewOf } from './link-view.ts';

/** An absent member has the default that stands beside it. */
interface NewLink {
  readonly collection: string;
  /** Default: the whole collection. */
  readonly path?: string | null;
  readonly label: string;
  /** Default 1. */
  readonly claimsAllowed?: number;
  /** Defaults null: no limit. */
  readonly claimFromAt?: EpochSeconds | null;
  readonly claimUntilAt?: EpochSeconds | null;
  readonly accessUntilAt?: EpochSeconds | null;
  /** Default null: the methods of the route. */
  readonly methods?: readonly string[] | null;
  /** Tell members and owner by mail. Default false. */
  readonly notify?: boolean;
  readonly requestId: string | null;
}

type LinkCreated =
  /** `url` is a secret: it is shown to its maker once. */
  | { readonly kind: 'created'; readonly link: LinkView; readonly url: string }
  | { readonly kind: 'refused'; readonly problem: LinkProblem }
  /** There is no such collection, or the actor may not manage it: the answer does not say which. */
  | { readonly kind: 'not-found' };

/** @throws StoreAway */
export async function createLink(context: ControlContext, actor: Actor, input: NewLink): Promise<LinkCreated> {
  const config = context.config();
  const collection = collectionNamed(config, input.collection);
  const linkId = makeId('link', context.random(idRandomBytes));
  const linkKeyId = makeId('linkKey', context.random(idRandomBytes));
  const token = formatLinkToken(linkId, context.random(linkSecretBytes));

  const written = await context.write(async (unit): Promise<LinkCreated> => {
    const authority = await readAuthority(unit.sql, actor, unit.now);
    if (collection === null || !mayManage(config, authority, collection.name)) return { kind: 'not-found' };
    const path = linkPath(collection, input.path ?? null);
    if (path === null) return refused('bad-path');
    const label = linkLabel(input.label);
    if (label === null) return refused('bad-label');
    const claimsAllowed = input.claimsAllowed ?? 1;
    if (!isClaimCount(claimsAllowed)) return refused('bad-claims');
    const { claimFromAt = null, claimUntilAt = null, accessUntilAt = null } = input;
    if (!timesAreSound({ claimFromAt, claimUntilAt, accessUntilAt }, unit.now)) return refused('bad-window');
    const methods = linkMethods(input.methods ?? null);
    if (methods === undefined) return refused('bad-methods');

    const ownerId = await ownerOf(unit, actor, collection.owners);
    const link: LinkRow = {
      id: linkId,
      access_key_id: linkKeyId,
      secret_digest: digestLinkSecret(token.slice(linkId.length + 1)),
      owner_id: ownerId,
      collection: collection.name,
      host: collection.host,
      path,
      label,
      claims_allowed: claimsAllowed,
      claims_used: 0,
      claim_from_at: claimFromAt,
      claim_until_at: claimUntilAt,
      access_until_at: accessUntilAt,
      methods,
      notify_members: input.notify === true ? 1 : 0,
      created_at: unit.now,
      revoked_at: null,
      revoked_by: null,
      revoked_with: null,
    };
    const key = { id: linkKeyId, owner_id: ownerId, collection: collection.name };
    await insertLink(unit.sql, { ...key, created_at: unit.now, revoked_at: null }, link);
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'link.created',
      subject: linkId,
      details: {
        collection: collection.name,
        host: collection.host,
        path,
        claims_allowed: claimsAllowed,
        access_key: linkKeyId,
      },
      requestId: input.requestId,
    });
    const url = tokenizedUrl(config, link.host, link.path, linkKeyId, token);
    return { kind: 'created', link: viewOf(config, link, unit.now), url };
  });
  return written.value;
}

function refused(problem: LinkProblem): LinkCreated {
  return { kind: 'refused', problem };
}

/** The account that a link belongs to: its maker; a link that the operator makes belongs to the first owner that has an account. */
async function ownerOf(unit: Unit, actor: Actor, owners: readonly string[]): Promise<string> {
  if (actor.kind === 'account') return actor.accountId;
  for (const address of owners) {
    const id = await findActiveAccountId(unit.sql, address);
    if (id !== null) return id;
  }
  return actorName(actor);
}
