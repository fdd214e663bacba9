// A row of the audit log for a refusal that a giver may use to flood people or to look for their addresses.

import type { Unit } from '../../store/port/store.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { countRequest } from '../proof/throttle.ts';

interface RefusalToNote {
  readonly giverId: string;
  readonly keyId: string;
  readonly reason: 'too-many' | 'yours-already';
  readonly origin: Origin;
}

/** A refusal that somebody may use to flood or to search: one row an hour of a giver, so that the log cannot be filled by it. */
export async function noteRefusal(
  context: ControlContext,
  unit: Unit,
  actor: Actor,
  { giverId, keyId, reason, origin }: RefusalToNote,
): Promise<void> {
  const first = await countRequest(unit, context, [{ kind: 'share-refusals', subject: `${giverId} ${reason}` }]);
  if (first.kind === 'blocked') return;
  const details = { reason };
  await noteShare(unit, { actor: actorName(actor), action: 'share.refused', subject: keyId, details, origin });
}
