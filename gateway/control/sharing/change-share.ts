// Changes the window, the number of uses and the depth of a share that is not over. What was narrowed ends what was made before, by one change
// of the log; whoever still passes gets new passes.

import { collectionSubject } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { findHeldShare } from '../../store/sharing/share-chains.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { changeShare as changeRow, findShare, hasShareBelow, type ShareChange } from '../../store/sharing/shares.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { findShareFor } from './share-authority.ts';
import { depthIsSound, type ShareProblem, usesAreSound, windowIsSound } from './share-input.ts';
import { type ShareView, shareViewOf } from './share-view.ts';

/** An absent member stays as it is; null is no limit. */
interface ShareChanges {
  readonly shareId: string;
  readonly usableFromAt?: EpochSeconds | null | undefined;
  readonly usableUntilAt?: EpochSeconds | null | undefined;
  /** How many representations may be made in all; those that were made count. */
  readonly usesAllowed?: number | null | undefined;
  readonly reshareDepth?: number | undefined;
  readonly origin: Origin;
}

type ShareChanged =
  | { readonly kind: 'changed'; readonly share: ShareView }
  | { readonly kind: 'refused'; readonly problem: ShareProblem }
  /** The share is over. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'not-found' };

/** @throws StoreAway */
export async function changeShare(context: ControlContext, actor: Actor, changes: ShareChanges): Promise<ShareChanged> {
  const { shareId, origin } = changes;
  const written = await context.write(async (unit): Promise<ShareChanged> => {
    const { sql, now } = unit;
    const found = await findShareFor(sql, actor, shareId, now);
    if (found === null || found.reader === 'recipient') return { kind: 'not-found' };
    const { share, reader } = found;
    const change = await readChange(context, sql, share, changes, now);
    if (typeof change === 'string') return { kind: 'refused', problem: change };
    if (!(await changeRow(sql, shareId, change))) return { kind: 'ended' };
    if (share.state !== 'pending') {
      if (isNarrower(share, change)) await unit.append({ kind: 'revoke', node: shareId });
      await unit.append({ kind: 'touch', node: collectionSubject(share.keyCollection) });
    }
    await noteShare(unit, {
      ...{ actor: actorName(actor), action: 'share.changed', subject: shareId, origin },
      details: {
        ...{ key: share.key_id, usable_from_at: change.usable_from_at, usable_until_at: change.usable_until_at },
        ...{ uses_allowed: change.uses_allowed, reshare_depth: change.reshare_depth },
      },
    });
    const after = (await readListedShare(sql, shareId, now)) ?? share;
    return { kind: 'changed', share: shareViewOf(after, reader, now) };
  });
  return written.value;
}

type WholeChange = Required<Omit<ShareChange, 'reminded_at'>> & Pick<ShareChange, 'reminded_at'>;

/** The columns with what is asked for, or what is wrong with it. */
async function readChange(
  context: ControlContext,
  sql: Sql,
  share: ListedShare,
  { usableFromAt, usableUntilAt, usesAllowed, reshareDepth }: ShareChanges,
  now: EpochSeconds,
): Promise<WholeChange | ShareProblem> {
  const from = usableFromAt === undefined ? share.usable_from_at : usableFromAt;
  const asked = usableUntilAt === undefined ? share.usable_until_at : usableUntilAt;
  const until = usableUntilAt === undefined ? asked : await withinParent(sql, share, asked, now);
  if (usableFromAt !== undefined || usableUntilAt !== undefined) {
    if (!windowIsSound({ from, until }, now)) return 'bad-window';
  }
  const uses = usesAllowed === undefined ? share.uses_allowed : usesAllowed;
  if (!usesAreSound(uses)) return 'bad-uses';
  // what is shared on opens without representations, so it cannot hang below a share that is counted by them
  if (uses !== null && share.uses_allowed === null && (await hasShareBelow(sql, share.id))) return 'bad-uses';
  const depth = reshareDepth ?? share.reshare_depth;
  if (reshareDepth !== undefined) {
    const most = depth > share.reshare_depth ? await mostDepth(context, sql, share) : share.reshare_depth;
    if (!depthIsSound(depth, most)) return 'bad-depth';
  }
  const spent = (share.uses_allowed ?? 0) - (share.uses_left ?? 0);
  return {
    ...{ usable_from_at: from, usable_until_at: until, reshare_depth: depth, uses_allowed: uses },
    uses_left: uses === null ? null : Math.max(0, uses - spent),
    // another end is another reminder
    ...(until === share.usable_until_at ? {} : { reminded_at: null }),
  };
}

/** An end that is not later than that of the share above. */
async function withinParent(
  sql: Sql,
  { parent_id }: ListedShare,
  until: EpochSeconds | null,
  now: EpochSeconds,
): Promise<EpochSeconds | null> {
  const above = parent_id === null ? null : ((await findHeldShare(sql, parent_id, now))?.untilAt ?? null);
  if (above === null) return until;
  return until === null ? above : Math.min(until, above);
}

async function mostDepth({ config }: ControlContext, sql: Sql, { parent_id, depth }: ListedShare): Promise<number> {
  const cap = config().sharing.reshareDepth - depth;
  const parent = parent_id === null ? null : await findShare(sql, parent_id);
  return parent === null ? cap : Math.min(cap, parent.reshare_depth - 1);
}

/** Whether what was made from the share before could do more than the share allows now. */
function isNarrower(share: ListedShare, change: WholeChange): boolean {
  const startsLater = change.usable_from_at !== null && change.usable_from_at > (share.usable_from_at ?? 0);
  const endsEarlier =
    change.usable_until_at !== null && change.usable_until_at < (share.usable_until_at ?? Number.POSITIVE_INFINITY);
  const isCounted = change.uses_allowed !== null && share.uses_allowed === null;
  return startsLater || endsEarlier || isCounted || change.reshare_depth < share.reshare_depth;
}
