// The history of a share for its parties: who did what, when, and from where, newest first. It names people as the parties know each other: the
// recipient by the address that was typed, whatever name an account has.

import { type AuditAction, auditSentence, isAuditAction } from '../../core/model/audit.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { readPersonName } from '../../store/rows/accounts.ts';
import { listAudit } from '../../store/rows/audit.ts';
import { readChain } from '../../store/sharing/share-chains.ts';
import type { ListedShare } from '../../store/sharing/share-lists.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { findShareFor } from './share-authority.ts';

/** `above`: gave a share above this one, or has the credential. */
type ShareParty = 'giver' | 'above' | 'recipient' | 'administrator' | 'latchkey';

interface ShareEvent {
  /** Order of writing; `before` of the next page. */
  readonly position: number;
  readonly at: EpochSeconds;
  readonly action: AuditAction;
  readonly by: ShareParty;
  /** A name or an address; for the recipient the address that was typed. Null where the account was deleted. */
  readonly name: string | null;
  /** `<name> accepted a key`. */
  readonly text: string;
  /** The /24 or /48 that it was done from; null where no client asked. */
  readonly network: string | null;
}

interface ShareHistory {
  readonly events: readonly ShareEvent[];
  /** `before` of the next page; null when there is none. */
  readonly next: number | null;
}

/** Events on a page. */
export const maxEventsPerPage = 100;

/** What recipients do, also in a browser that nobody is signed in to. */
const ofRecipients: ReadonlySet<AuditAction> = new Set([
  ...(['share.requested', 'share.accepted', 'share.declined', 'share.left'] as const),
]);

/** @returns null for everybody who is no party, and when there is no such share. @throws StoreAway */
export async function readShareHistory(
  context: ControlContext,
  actor: Actor,
  shareId: string,
  {
    before,
    limit = maxEventsPerPage,
  }: { readonly before?: number | undefined; readonly limit?: number | undefined } = {},
): Promise<ShareHistory | null> {
  const { sql } = context.store;
  const found = await findShareFor(sql, actor, shareId, context.clock.epochSeconds());
  if (found === null) return null;
  const { entries, next } = await listAudit(sql, {
    subject: shareId,
    limit: Math.min(limit, maxEventsPerPage),
    ...(before === undefined ? {} : { before }),
  });
  const parties = await readParties(sql, found.share);
  const events = await Promise.all(
    entries.map(async ({ position, at, action, actor: who, details }) => {
      if (!isAuditAction(action)) return null;
      const by = ofRecipients.has(action) ? 'recipient' : partyOf(parties, who);
      const name = await nameOf(sql, found.share, by, who);
      const network = typeof details.network === 'string' ? details.network : null;
      return { position, at, action, by, name, text: auditSentence(action, name ?? 'Somebody who left'), network };
    }),
  );
  return { events: events.filter((event) => event !== null), next };
}

interface Parties {
  readonly giverId: string;
  readonly above: ReadonlySet<string>;
}

async function readParties(sql: Sql, share: ListedShare): Promise<Parties> {
  const chain = await readChain(sql, share.id);
  return { giverId: share.giver_id, above: new Set([share.ownerId, ...chain.map(({ giverId }) => giverId)]) };
}

function partyOf({ giverId, above }: Parties, who: string): ShareParty {
  if (who === giverId) return 'giver';
  if (above.has(who)) return 'above';
  return who === 'system' ? 'latchkey' : 'administrator';
}

async function nameOf(sql: Sql, share: ListedShare, by: ShareParty, who: string): Promise<string | null> {
  switch (by) {
    case 'giver':
      return share.giverName || share.giverEmail || null;
    case 'above':
      return await readPersonName(sql, who);
    case 'recipient':
      return share.email || null;
    case 'administrator':
      return 'An administrator';
    case 'latchkey':
      return 'latchkey';
    default:
      return by satisfies never;
  }
}
