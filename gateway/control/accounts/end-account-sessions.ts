// Signs an account out everywhere: one small write however many tokens are out, since each of them hangs on the account's node.
// Part of every change after which an old session must not go on: password, address, disabling, deletion.

import type { Unit } from '../../store/port/store.ts';
import { endCodes } from '../../store/rows/one-time-codes.ts';
import { markAccountSessionsEnded } from '../../store/rows/sessions.ts';

/** @returns how many sessions there were */
export async function endAccountSessions(unit: Unit, accountId: string): Promise<number> {
  await unit.append({ kind: 'revoke', node: accountId });
  // Hand-overs under way would make tokens after this; mails sent before it would open what was just closed.
  await endCodes(unit, accountId);
  return await markAccountSessionsEnded(unit.sql, accountId, unit.now);
}
