// Shows the tokenized URL of a link again, or mails it: for its owner and for administrators, while the link lives. Both are in the audit
// log. Whoever may manage the link could make a new address as well, so nobody gets more than they have.

import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { findManagedLink } from './authority.ts';
import { type LinkMailed, mailLink } from './link-mails.ts';
import { type LinkView, viewOf } from './link-view.ts';
import { ownerNameOf } from './present-link.ts';
import { openLinkUrl } from './sealed-secret.ts';

type LinkAddress =
  /** `url` is a secret. */
  | { readonly kind: 'shown'; readonly link: LinkView; readonly url: string }
  /** The link has ended, or its secret is not kept. */
  | { readonly kind: 'no-address'; readonly link: LinkView }
  | { readonly kind: 'not-found' };

/** The address, for a page that this actor was led to just now: by making the link, or by `showLinkAddress`. Writes nothing. @throws StoreAway */
export async function readLinkAddress(context: ControlContext, actor: Actor, linkId: string): Promise<LinkAddress> {
  const [config, now] = [context.config(), context.clock.epochSeconds()];
  const row = await findManagedLink(context.store.sql, config, actor, linkId, now);
  if (row === null) return { kind: 'not-found' };
  const link = viewOf(config, row, now);
  const url = link.hasAddress ? openLinkUrl(context, config, row) : null;
  return url === null ? { kind: 'no-address', link } : { kind: 'shown', link, url };
}

/** A link as the page before its first opening tells of it. */
export interface LinkPreview {
  readonly id: string;
  readonly label: string;
  readonly ownerName: string;
  readonly collection: string;
  readonly accessUntilAt: EpochSeconds | null;
  readonly forEmail: string | null;
}

/** What the person that a link is for will read; null for an actor who may not manage the link. @throws StoreAway */
export async function previewLink(context: ControlContext, actor: Actor, linkId: string): Promise<LinkPreview | null> {
  const { sql } = context.store;
  const config = context.config();
  const row = await findManagedLink(sql, config, actor, linkId, context.clock.epochSeconds());
  if (row === null) return null;
  const ownerName = await ownerNameOf(sql, row, config.portal?.name ?? 'latchkey');
  const { id, label, collection, access_until_at: accessUntilAt, for_email: forEmail } = row;
  return { id, label, ownerName, collection, accessUntilAt, forEmail };
}

/** As `readLinkAddress`, and the audit log has it. @throws StoreAway */
export async function showLinkAddress(
  context: ControlContext,
  actor: Actor,
  linkId: string,
  requestId: string | null,
): Promise<LinkAddress> {
  const shown = await readLinkAddress(context, actor, linkId);
  if (shown.kind !== 'shown') return shown;
  await context.write((unit) =>
    appendAudit(unit, {
      actor: actorName(actor),
      action: 'link.address-shown',
      subject: linkId,
      details: {},
      requestId,
    }),
  );
  return shown;
}

type LinkSent =
  | { readonly kind: 'sent'; readonly mail: LinkMailed }
  /** `bad-address`: not one plain mail address. `other-address`: the link is bound to another one. */
  | { readonly kind: 'refused'; readonly problem: 'bad-address' | 'other-address' | 'no-address' }
  | { readonly kind: 'not-found' };

/** Mails the address of a link. @param to  as it was typed @throws StoreAway */
export async function sendLinkAddress(
  context: ControlContext,
  actor: Actor,
  { linkId, to, requestId }: { readonly linkId: string; readonly to: string; readonly requestId: string | null },
): Promise<LinkSent> {
  const config = context.config();
  const written = await context.write(async (unit): Promise<LinkSent> => {
    const row = await findManagedLink(unit.sql, config, actor, linkId, unit.now);
    if (row === null) return { kind: 'not-found' };
    const address = normaliseMailAddress(to);
    if (address === null) return { kind: 'refused', problem: 'bad-address' };
    if (row.for_email !== null && row.for_email !== address) return { kind: 'refused', problem: 'other-address' };
    const url = viewOf(config, row, unit.now).hasAddress ? openLinkUrl(context, config, row) : null;
    if (url === null) return { kind: 'refused', problem: 'no-address' };
    const mail = await mailLink(context, unit, row, address, url);
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'link.mailed',
      subject: linkId,
      details: { outcome: mail },
      requestId,
    });
    return { kind: 'sent', mail };
  });
  return written.value;
}
