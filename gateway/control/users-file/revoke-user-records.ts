// Ends passes, open answers and tunnels that were given for records of the users file, once those records are gone or changed.
// The users file is no part of the store, so this file writes its changes to the log. It reads no file itself.

import { userRecordNode } from '../../core/model/node-id.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';

/** Records in one unit: no unit may hold the log for long. */
const perUnit = 200;

/** Resolves once every edge of this node refuses them. @throws StoreAway */
export async function revokeUserRecords(
  context: ControlContext,
  actor: Actor,
  userRecordIds: readonly string[],
): Promise<void> {
  for (let first = 0; first < userRecordIds.length; first += perUnit) {
    await context.write(async (unit) => {
      for (const id of userRecordIds.slice(first, first + perUnit)) {
        await unit.append({ kind: 'revoke', node: userRecordNode(id) });
        await appendAudit(unit, { actor: actorName(actor), action: 'credential.revoked', subject: id });
      }
    });
  }
}
