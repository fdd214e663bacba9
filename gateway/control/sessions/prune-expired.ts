// Deletes what has ended: codes, counts of guesses, sessions, devices, accounts that nobody ever verified, revocations that every
// token has outlived, old history, addresses that a key was offered to in vain. Bounded per call, so that it never holds up others; the caller calls again soon while there is more.
// Each kind is a unit of its own, and no statement reads more than a page: a revocation waits behind one of them at most.
// No row that still opens something is touched. The log's own time, and no clock, decides what is old (store/rows/log-time.ts):
// with a clock that is wrong nothing is forgotten early.

import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/port/store.ts';
import { listAbandonedAccounts } from '../../store/rows/account-lists.ts';
import { pruneAudit } from '../../store/rows/audit.ts';
import { defaultChangeLifeSeconds, pruneChanges } from '../../store/rows/change-log.ts';
import { removeOldDevices } from '../../store/rows/devices.ts';
import { wipeEndedSecrets } from '../../store/rows/links.ts';
import { findHorizon, pruneMarks } from '../../store/rows/log-time.ts';
import { pruneCodes } from '../../store/rows/one-time-codes.ts';
import { markIdleSessionsEnded, removeOldSessions } from '../../store/rows/sessions.ts';
import { pruneThrottles } from '../../store/rows/throttles.ts';
import { pruneRepresentations } from '../../store/sharing/representations.ts';
import { eraseUnanswered } from '../../store/sharing/share-pruning.ts';
import { pruneRequests } from '../../store/sharing/share-requests.ts';
import { removeUnverified } from '../accounts/take-over-address.ts';
import type { ControlContext } from '../context/control-context.ts';
import { remindOfEnds } from '../keys/remind-of-ends.ts';
import {
  abandonedAfterSeconds,
  keepAuditSeconds,
  keepCodesSeconds,
  keepDevicesSeconds,
  keepEndedSeconds,
  keepEndedSecretsSeconds,
  keepUnansweredSeconds,
  sessionIdleSeconds,
} from '../proof/account-limits.ts';
import { guessKinds, longestMemorySeconds, longestWindowSeconds, windowKinds } from '../proof/throttle-policies.ts';
import { knownSeconds } from '../users-file/password-throttle.ts';

/** Rows of each kind in one call. */
const rowsPerCall = 500;
/** Each takes a handful of statements. */
const accountsPerCall = 20;
/** Rows of a table that has no index for its end, in one call: a million is walked in four days, and what is kept is kept for weeks. */
const rowsPerPage = 2000;
const day = 24 * 3600;

interface Pruned {
  readonly rows: number;
  /** There may be more; call again. */
  readonly isPartial: boolean;
}

/** Where the walks through tables go on: the last id that was looked at, empty at the beginning. */
interface PruneWalks {
  idleSessions: string;
  sessions: string;
  devices: string;
  accounts: string;
  links: string;
  shares: string;
}

export function beginWalks(): PruneWalks {
  return { idleSessions: '', sessions: '', devices: '', accounts: '', links: '', shares: '' };
}

/** @param walks  of the call before, changed by this one. Default: from the beginning */
export async function pruneExpired(context: ControlContext, walks: PruneWalks = beginWalks()): Promise<Pruned> {
  const { routes } = context.config();
  const longestToken = Math.max(0, ...routes.map(({ maxTokenTtlSeconds }) => maxTokenTtlSeconds));
  const changeLife = Math.max(defaultChangeLifeSeconds, longestToken + day);
  const from = (after: string) => ({ after, rows: rowsPerPage });
  const steps: ((unit: Unit) => Promise<Pruned>)[] = [
    (unit) => older(unit, keepCodesSeconds, async (before) => listed(await pruneCodes(unit, before, rowsPerCall))),
    // These rows contain log time themselves.
    async (unit) => listed(await pruneThrottles(unit, unit.logTime - longestWindowSeconds, rowsPerCall, windowKinds)),
    async (unit) => listed(await pruneThrottles(unit, unit.logTime - longestMemorySeconds, rowsPerCall, guessKinds)),
    async (unit) => listed(await pruneThrottles(unit, unit.logTime - knownSeconds, rowsPerCall)),
    async (unit) => listed(await pruneChanges(unit, changeLife, rowsPerCall)),
    (unit) => older(unit, keepAuditSeconds, async (before) => listed(await pruneAudit(unit, before, rowsPerCall))),
    // Until a session is marked, only clocks tell that it is over, and a clock that is set back would tell otherwise. No token of the session is left to be revoked.
    (unit) =>
      older(unit, sessionIdleSeconds, async (before) => {
        const page = await markIdleSessionsEnded(unit.sql, before, unit.now, from(walks.idleSessions));
        walks.idleSessions = page.last ?? '';
        return walked(page.removed, page.last);
      }),
    (unit) =>
      older(unit, keepEndedSeconds, async (before) => {
        const page = await removeOldSessions(unit.sql, before, before - sessionIdleSeconds, from(walks.sessions));
        walks.sessions = page.last ?? '';
        return walked(page.removed, page.last);
      }),
    (unit) =>
      older(unit, keepDevicesSeconds, async (before) => {
        const page = await removeOldDevices(unit.sql, before, from(walks.devices));
        walks.devices = page.last ?? '';
        return walked(page.removed, page.last);
      }),
    (unit) =>
      older(unit, abandonedAfterSeconds, async (before) => {
        const { ids, last } = await listAbandonedAccounts(
          unit.sql,
          before,
          from(walks.accounts),
          accountsPerCall,
          unit.now,
        );
        for (const id of ids) await removeUnverified(unit, id);
        walks.accounts = last ?? '';
        return walked(ids.length, last);
      }),
    // The secret of a link that has ended opens nothing; it is kept a little longer for an end that is taken back.
    (unit) =>
      older(unit, keepEndedSecretsSeconds, async (before) => {
        const page = await wipeEndedSecrets(unit.sql, before, from(walks.links));
        walks.links = page.last ?? '';
        return walked(page.removed, page.last);
      }),
    (unit) => remindOfEnds(unit, context),
    (unit) =>
      older(unit, keepCodesSeconds, async (before) => listed(await pruneRequests(unit.sql, before, rowsPerCall))),
    (unit) =>
      older(unit, keepEndedSeconds, async (before) =>
        listed(await pruneRepresentations(unit.sql, before, rowsPerCall)),
      ),
    (unit) =>
      older(unit, keepUnansweredSeconds, async (before) => {
        const page = await eraseUnanswered(unit.sql, before, from(walks.shares));
        walks.shares = page.last ?? '';
        return walked(page.removed, page.last);
      }),
    // the longest of all, and what a walk through a table may take
    async (unit) =>
      listed(await pruneMarks(unit, Math.max(keepAuditSeconds, keepDevicesSeconds, changeLife) + 30 * day)),
  ];
  let rows = 0;
  let isPartial = false;
  for (const step of steps) {
    const { value } = await context.write(step);
    rows += value.rows;
    isPartial ||= value.isPartial;
  }
  return { rows, isPartial };
}

/** Deletes rows that ended longer ago than a span of the log's own time; deletes nothing while the log is younger than that span. */
async function older(unit: Unit, seconds: number, forget: (before: EpochSeconds) => Promise<Pruned>): Promise<Pruned> {
  const horizon = await findHorizon(unit, seconds);
  return horizon === null ? { rows: 0, isPartial: false } : await forget(horizon.before);
}

function listed(rows: number): Pruned {
  return { rows, isPartial: rows >= rowsPerCall };
}

/** Where a page had rows to delete, the next rows often have more. */
function walked(rows: number, last: string | null): Pruned {
  return { rows, isPartial: rows > 0 && last !== null };
}
