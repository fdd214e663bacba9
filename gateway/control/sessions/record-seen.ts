// Writes down when sessions, devices and grants were last used, as edges report it once a minute. A report is a hint: it moves times
// forward only, never beyond now, and wakes nothing that has ended. What let the visitor in is noted too: memberships, and shares of keys.

import { isOfKind } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/port/store.ts';
import { markDevicesSeen } from '../../store/rows/devices.ts';
import { recordMembersSeen } from '../../store/rows/members.ts';
import { markSessionsSeen } from '../../store/rows/sessions.ts';
import { recordSharesUsed } from '../../store/sharing/shares.ts';
import type { ControlContext } from '../context/control-context.ts';
import { seenResolutionSeconds, sessionIdleSeconds } from '../proof/account-limits.ts';

/** One use; `member` is the grant, null for a use that needed none. */
interface SeenUse {
  readonly session: string;
  readonly device: string;
  readonly member: string | null;
  readonly at: EpochSeconds;
}

/** Uses in one unit: a statement has a bounded number of values, and a unit does not hold others up. */
const maxUsesPerUnit = 500;

/** @throws StoreAway */
export async function recordSeen(context: ControlContext, seen: readonly SeenUse[]): Promise<void> {
  for (let start = 0; start < seen.length; start += maxUsesPerUnit) {
    const uses = seen.slice(start, start + maxUsesPerUnit);
    await context.write(async (unit) => {
      for (const [at, group] of byMinute(uses, unit.now)) {
        const distinct = (ids: readonly string[]): string[] => [...new Set(ids)];
        await markSessionsSeen(unit.sql, distinct(group.map(({ session }) => session)), at, at - sessionIdleSeconds);
        await markDevicesSeen(unit.sql, distinct(group.map(({ device }) => device)), at);
        await recordGrants(unit, distinct(group.flatMap(({ member }) => (member === null ? [] : [member]))), at);
      }
    });
  }
}

/** A report covers a minute or two, so this gives two or three groups: a handful of statements however many uses. */
function byMinute(uses: readonly SeenUse[], now: EpochSeconds): Map<EpochSeconds, SeenUse[]> {
  const groups = new Map<EpochSeconds, SeenUse[]>();
  for (const use of uses) {
    const minute = Math.floor(use.at / seenResolutionSeconds) * seenResolutionSeconds;
    const at = Math.min(now, minute + seenResolutionSeconds - 1);
    const group = groups.get(at);
    if (group === undefined) groups.set(at, [use]);
    else group.push(use);
  }
  return groups;
}

/** An own key and an ownership have no last use. */
async function recordGrants(unit: Unit, grants: readonly string[], at: EpochSeconds): Promise<void> {
  const members = grants.filter((id) => isOfKind('member', id));
  const shares = grants.filter((id) => isOfKind('share', id));
  if (members.length > 0) await recordMembersSeen(unit, members, at);
  if (shares.length > 0) await recordSharesUsed(unit.sql, shares, at);
}
