// Makes links: for an owner of a collection, to the collection or to something in it; one link, or one for each of some addresses.
// The tokenized URL is in the answer, and its secret is kept sealed while the link lives, so that its owner can be shown the URL again.
// What is compared with a visitor's secret is its digest. US 10,043,025, first step.

import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { digestOf } from '../../core/model/digest.ts';
import { digestLinkSecret, formatLinkToken, linkSecretBytes } from '../../core/model/link.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/port/store.ts';
import { findActiveAccountId } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { findLinksOfForm, insertLink, type LinkRow } from '../../store/rows/links.ts';
import { collectionNamed } from '../access/collections.ts';
import { placeLabel, placeMethods, placePath } from '../access/place-input.ts';
import { tokenizedUrl } from '../access/tokenized-url.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayManage, readAuthority } from './authority.ts';
import { isClaimCount, type LinkProblem, linkAddresses, timesAreSound } from './link-input.ts';
import { type LinkMailed, mailLink } from './link-mails.ts';
import { type LinkView, viewOf } from './link-view.ts';
import { sealLinkSecret } from './sealed-secret.ts';

/** An absent member has the default that stands beside it. */
interface NewLink {
  readonly collection: string;
  /** A path, or the name of a file or folder in the collection. Default: the whole collection. */
  readonly path?: string | null;
  readonly label: string;
  /**
   * Mail addresses as they were typed, at most `maxAddresses`: a link is made for each and mailed there. Default: one link, for
   * whoever gets it.
   */
  readonly addresses?: readonly string[];
  /** Whether only the account with the address that a link is mailed to may claim it. Default true; without addresses it means nothing. */
  readonly isBound?: boolean;
  /** How many accounts may claim each link. Default 1, which is the only number for a link that is bound to an address. */
  readonly claimsAllowed?: number;
  /** Defaults null: no limit. */
  readonly claimFromAt?: EpochSeconds | null;
  readonly claimUntilAt?: EpochSeconds | null;
  /** Default: what the configuration says, from now. */
  readonly accessUntilAt?: EpochSeconds | null;
  /** Default null: the methods of the route. */
  readonly methods?: readonly string[] | null;
  /** Tell members and owner by mail. Default false. */
  readonly notify?: boolean;
  /** The same key of the same maker makes links once, however often it is sent. Default: no key. */
  readonly creationKey?: string;
  readonly requestId: string | null;
}

/** One of the links that were made together. */
export interface MadeLink {
  readonly link: LinkView;
  /** A secret. */
  readonly url: string;
  /** The address that the link is mailed to; null for none. */
  readonly mailedTo: string | null;
  /** What became of the mail; null where none was asked for. */
  readonly mail: LinkMailed | null;
}

type LinkCreated =
  /** `link` and `url` are those of the first of `made`, which is the only one without addresses. `url` is a secret. */
  | { readonly kind: 'created'; readonly link: LinkView; readonly url: string; readonly made: readonly MadeLink[] }
  /** A form with this key made these links before, and nothing was made now. */
  | { readonly kind: 'made-before'; readonly links: readonly LinkView[] }
  /** `wrong`: the texts that are no address, for the problem `bad-addresses`. */
  | { readonly kind: 'refused'; readonly problem: LinkProblem; readonly wrong: readonly string[] }
  /** There is no such collection, or the actor may not manage it: the answer does not say which. */
  | { readonly kind: 'not-found' };

/** What all links of one call share. */
type LinkTemplate = Omit<
  LinkRow,
  'id' | 'access_key_id' | 'secret_digest' | 'secret_sealed' | 'for_email' | 'creation_place'
>;

/** @throws StoreAway */
export async function createLink(context: ControlContext, actor: Actor, input: NewLink): Promise<LinkCreated> {
  const config = context.config();
  const collection = collectionNamed(config, input.collection);
  const written = await context.write(async (unit): Promise<LinkCreated> => {
    const authority = await readAuthority(unit.sql, actor, unit.now);
    if (collection === null || !mayManage(config, authority, collection.name)) return { kind: 'not-found' };
    const template = await templateOf(context, unit, actor, collection, input);
    if (typeof template === 'string') return refused(template);
    const people = linkAddresses(input.addresses ?? []);
    if (people.kind === 'too-many') return refused('too-many-addresses');
    if (people.kind === 'wrong') return refused('bad-addresses', people.wrong);
    const isBound = people.addresses.length > 0 && input.isBound !== false;
    if (isBound && template.claims_allowed !== 1) return refused('bad-claims');

    const made: MadeLink[] = [];
    const sendTo = people.addresses.length === 0 ? [null] : people.addresses;
    for (const [place, mailedTo] of sendTo.entries()) {
      const one = await insertOne(context, unit, actor, { template, place, mailedTo, isBound, input });
      // Only the first can have been made before: all links of a form are made in one unit.
      if (one === null) {
        const rows = await findLinksOfForm(unit.sql, template.creation_digest ?? '');
        return { kind: 'made-before', links: rows.map((row) => viewOf(config, row, unit.now)) };
      }
      made.push(one);
    }
    const [first] = made;
    return first === undefined ? refused('bad-addresses') : { kind: 'created', link: first.link, url: first.url, made };
  });
  return written.value;
}

/** The links that a form of this maker made, as they are now; empty when it made none. @throws StoreAway */
export async function listLinksOfForm(
  context: ControlContext,
  actor: Actor,
  creationKey: string,
): Promise<readonly LinkView[]> {
  const { sql } = context.store;
  const [config, now] = [context.config(), context.clock.epochSeconds()];
  const authority = await readAuthority(sql, actor, now);
  const rows = await findLinksOfForm(sql, creationDigestOf(actor, creationKey));
  return rows.filter((row) => mayManage(config, authority, row.collection)).map((row) => viewOf(config, row, now));
}

/** Checks what was typed. @returns the columns that all links of the call share, or what is wrong */
async function templateOf(
  context: ControlContext,
  unit: Unit,
  actor: Actor,
  collection: CollectionConfig,
  input: NewLink,
): Promise<LinkTemplate | LinkProblem> {
  const path = placePath(collection, input.path ?? null);
  if (path === null) return 'bad-path';
  const label = placeLabel(input.label);
  if (label === null) return 'bad-label';
  const claimsAllowed = input.claimsAllowed ?? 1;
  if (!isClaimCount(claimsAllowed)) return 'bad-claims';
  const { claimFromAt = null, claimUntilAt = null } = input;
  const accessUntilAt =
    input.accessUntilAt === undefined ? defaultAccessEnd(context, collection, unit.now) : input.accessUntilAt;
  if (!timesAreSound({ claimFromAt, claimUntilAt, accessUntilAt }, unit.now)) return 'bad-window';
  const methods = placeMethods(input.methods ?? null);
  if (methods === undefined) return 'bad-methods';
  return {
    owner_id: await ownerOf(unit, actor, collection.owners),
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
    creation_digest: input.creationKey === undefined ? null : creationDigestOf(actor, input.creationKey),
    created_at: unit.now,
    revoked_at: null,
    revoked_by: null,
    revoked_with: null,
  };
}

interface OneOfMany {
  readonly template: LinkTemplate;
  readonly place: number;
  readonly mailedTo: string | null;
  readonly isBound: boolean;
  readonly input: NewLink;
}

/** @returns null, and nothing was written, when this form made the link before */
async function insertOne(
  context: ControlContext,
  unit: Unit,
  actor: Actor,
  { template, place, mailedTo, isBound, input }: OneOfMany,
): Promise<MadeLink | null> {
  const config = context.config();
  const id = makeId('link', context.random(idRandomBytes));
  const accessKeyId = makeId('linkKey', context.random(idRandomBytes));
  const token = formatLinkToken(id, context.random(linkSecretBytes));
  const secret = token.slice(id.length + 1);
  const link: LinkRow = {
    ...template,
    id,
    access_key_id: accessKeyId,
    secret_digest: digestLinkSecret(secret),
    secret_sealed: sealLinkSecret(context, id, secret),
    for_email: isBound ? mailedTo : null,
    creation_place: template.creation_digest === null ? null : place,
  };
  const { owner_id, collection, host, path } = link;
  const key = { id: accessKeyId, owner_id, collection, created_at: unit.now, revoked_at: null };
  if (!(await insertLink(unit.sql, key, link))) return null;
  await appendAudit(unit, {
    actor: actorName(actor),
    action: 'link.created',
    subject: id,
    details: {
      collection,
      host,
      path,
      claims_allowed: link.claims_allowed,
      access_key: accessKeyId,
      for_one_address: link.for_email !== null,
    },
    requestId: input.requestId,
  });
  const url = tokenizedUrl(config, host, path, accessKeyId, token);
  const mail = mailedTo === null ? null : await mailLink(context, unit, link, mailedTo, url);
  return { link: viewOf(config, link, unit.now), url, mailedTo, mail };
}

function refused(problem: LinkProblem, wrong: readonly string[] = []): LinkCreated {
  return { kind: 'refused', problem, wrong };
}

/** The end of access of a new link whose maker says nothing; null for none. */
export function defaultAccessEnd(
  { config }: Pick<ControlContext, 'config'>,
  { defaultAccessSeconds = config().links.defaultAccessSeconds }: CollectionConfig,
  now: EpochSeconds,
): EpochSeconds | null {
  return defaultAccessSeconds === null ? null : now + defaultAccessSeconds;
}

/** The maker is part of it, so nobody learns anything by the key of somebody else's form. */
function creationDigestOf(actor: Actor, creationKey: string): string {
  return digestOf(`${actorName(actor)} ${creationKey}`);
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
