// Forgets what has ended: codes, counts of guesses, sessions, devices, accounts that nobody ever verified, revocations that every
// token has outlived, old history. Bounded per call, so that it never holds up others; the caller calls again soon while there is more.
// Nothing that still opens something is touched.

import { listAbandonedAccounts } from '../../store/accounts.ts';
import { pruneAudit } from '../../store/audit.ts';
import { defaultChangeLifeSeconds, pruneChanges } from '../../store/change-log.ts';
import { removeOldDevices } from '../../store/devices.ts';
import { pruneCodes } from '../../store/one-time-codes.ts';
import { removeOldSessions } from '../../store/sessions.ts';
import { pruneThrottles } from '../../store/throttles.ts';
import {
  abandonedAfterSeconds,
  guessLimits,
  keepAuditSeconds,
  keepDevicesSeconds,
  keepEndedSeconds,
  requestLimits,
  sessionIdleSeconds,
} from '../accounts/account-limits.ts';
import { removeUnverified } from '../accounts/claim-address.ts';
import type { ControlContext } from '../control-context.ts';

/** Rows of each kind in one call. */
const rowsPerCall = 500;
const accountsPerCall = 100;
const day = 24 * 3600;

export interface Pruned {
  readonly rows: number;
  /** There may be more; call again. */
  readonly isPartial: boolean;
}

export async function pruneExpired(context: ControlContext): Promise<Pruned> {
  const longestCount = Math.max(
    ...Object.values(guessLimits).map(({ forgetSeconds }) => forgetSeconds),
    ...Object.values(requestLimits).map(({ windowSeconds }) => windowSeconds),
  );
  const { routes } = context.config();
  const longestToken = Math.max(0, ...routes.map(({ maxTokenTtlSeconds }) => maxTokenTtlSeconds));
  const changeLife = Math.max(defaultChangeLifeSeconds, longestToken + day);
  const written = await context.write(async (unit): Promise<Pruned> => {
    const { now, sql } = unit;
    const ended = now - keepEndedSeconds;
    const counts = [
      await pruneCodes(unit, now, rowsPerCall),
      await pruneThrottles(unit, now - longestCount, rowsPerCall),
      await removeOldSessions(sql, ended, ended - sessionIdleSeconds, rowsPerCall),
      await removeOldDevices(sql, now - keepDevicesSeconds, rowsPerCall),
      await pruneChanges(unit, now - changeLife, rowsPerCall),
      await pruneAudit(unit, now - keepAuditSeconds, rowsPerCall),
    ];
    const abandoned = await listAbandonedAccounts(sql, now - abandonedAfterSeconds, accountsPerCall);
    for (const id of abandoned) await removeUnverified(unit, id);
    return {
      rows: counts.reduce((sum, count) => sum + count, abandoned.length),
      isPartial: counts.some((count) => count >= rowsPerCall) || abandoned.length >= accountsPerCall,
    };
  });
  return written.value;
}
