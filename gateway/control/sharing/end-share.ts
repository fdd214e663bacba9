// What a giver, everybody above in the chain, the credential's account and administrators do with a share: take the offer back, stop it for a
// while, let it go on, end it for good. Each is one conditional statement, and one change of the log that walks nothing: tokens name their
// whole chain. For everybody else there is no such share. Rules: gateway/RULES.md "Shared keys".

import type { AuditAction } from '../../core/model/audit.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import { type ShareState, shareTransitions } from '../../core/model/share.ts';
import type { Unit } from '../../store/port/store.ts';
import { removeWaitingMails } from '../../store/rows/outbox.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { moveShare } from '../../store/sharing/shares.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { findShareFor } from './share-authority.ts';
import { mailEnd } from './share-mails.ts';
import { type ShareView, shareViewOf } from './share-view.ts';

/** What whoever gave a share may do to its state. */
export type GiverEvent = 'withdraw' | 'revoke' | 'disable' | 'enable';

const actions = {
  withdraw: 'share.withdrawn',
  revoke: 'share.revoked',
  disable: 'share.disabled',
  enable: 'share.enabled',
} as const satisfies Readonly<Record<GiverEvent, AuditAction>>;

type ShareEnded =
  /** `moved`: false where the share was in that state already, and nothing was done. */
  | { readonly kind: 'done'; readonly share: ShareView; readonly moved: boolean }
  /** The share is in a state that the event does not leave. */
  | { readonly kind: 'wrong-state'; readonly state: ShareState }
  /** There is no such share, or the actor may not end it: the answer does not say which. */
  | { readonly kind: 'not-found' };

/** When this resolves for `revoke` and `disable`, nothing of the share and of what hangs below it passes any more. @throws StoreAway */
export async function endShare(
  context: ControlContext,
  actor: Actor,
  { shareId, event, origin }: { readonly shareId: string; readonly event: GiverEvent; readonly origin: Origin },
): Promise<ShareEnded> {
  const written = await context.write(async (unit): Promise<ShareEnded> => {
    const { sql, now } = unit;
    const found = await findShareFor(sql, actor, shareId, now);
    if (found === null || found.reader === 'recipient') return { kind: 'not-found' };
    const { share, reader } = found;
    if (!(await moveShare(sql, shareId, event, actorName(actor), now))) {
      if (share.state !== shareTransitions[event].to) return { kind: 'wrong-state', state: share.state };
      return { kind: 'done', share: shareViewOf(share, reader, now), moved: false };
    }
    await follow(context, unit, share, event);
    await noteShare(unit, {
      ...{ actor: actorName(actor), action: actions[event], subject: shareId, origin },
      // the account behind the address is no party of the log before it accepted
      details: { key: share.key_id, account: event === 'withdraw' ? null : share.account_id },
    });
    const after = (await readListedShare(sql, shareId, now)) ?? share;
    return { kind: 'done', share: shareViewOf(after, reader, now), moved: true };
  });
  return written.value;
}

/** What follows from an event, in its unit. */
async function follow(context: ControlContext, unit: Unit, share: ListedShare, event: GiverEvent): Promise<void> {
  switch (event) {
    case 'withdraw':
      return await removeWaitingMails(unit, share.id);
    case 'revoke':
      await unit.append({ kind: 'revoke', node: share.id });
      return await mailEnd(unit, context, share);
    case 'disable':
      await unit.append({ kind: 'revoke', node: share.id });
      return;
    case 'enable':
      // what edges remember of the place says that it is refused
      await unit.append({ kind: 'touch', node: collectionSubject(share.keyCollection) });
      return;
    default:
      event satisfies never;
  }
}
