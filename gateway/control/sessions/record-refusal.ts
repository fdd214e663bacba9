// Writes refused sign-ins into the history, of unknown addresses too; an address that is nobody's is not written down.
// Whoever guesses all day must not fill the history with it, so refusals of an hour are counted: by the mail address that was typed,
// by the network they came from, and in all. The first few are rows of their own, later ones stand in the counts of a few rows.
// The work does not depend on whether there is such an account.

import { digestOf } from '../../core/model/digest.ts';
import { clientNetworks } from '../../core/token/client-network.ts';
import type { Unit } from '../../store/port/store.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { countGuess, type ThrottlePolicy } from '../../store/rows/throttles.ts';
import type { ControlContext } from '../context/control-context.ts';
import { refusalsWrittenDown } from '../proof/account-limits.ts';

export interface RefusedSignIn {
  /** null for an address that is nobody's. */
  readonly accountId: string | null;
  /** As it was typed, normalised. */
  readonly email: string;
  readonly clientAddress: string;
  readonly requestId: string | null;
}

/** Kind of the counts in the store. */
export const refusalKind = 'refused-sign-in';

const hour = 3600;
/** Counts and stops nobody: what slows guessing is guess-throttle.ts. */
const counting: ThrottlePolicy = { forgetAfterSeconds: hour, longestBlockSeconds: 0, blockSeconds: () => 0 };

export async function recordRefusal(context: ControlContext, refused: RefusedSignIn): Promise<void> {
  await context.write(async (unit) => {
    const details = {
      this_hour_by_address: await countHour(unit, 'email', refused.email),
      this_hour_by_network: await countHour(unit, 'network', clientNetworks(refused.clientAddress).source),
      this_hour_in_all: await countHour(unit, 'all', ''),
    };
    const { one, network, all } = refusalsWrittenDown;
    const isWritten =
      details.this_hour_in_all > all
        ? isRound(details.this_hour_in_all)
        : isAmong(details.this_hour_by_address, one) && isAmong(details.this_hour_by_network, network);
    if (!isWritten) return;
    const { accountId, requestId } = refused;
    const subject = accountId ?? 'unknown';
    await appendAudit(unit, { actor: 'system', action: 'session.refused', subject, details, requestId });
  });
}

/** @returns how many there were in this hour of the log's own time, this one included */
async function countHour(unit: Unit, by: 'email' | 'network' | 'all', subject: string): Promise<number> {
  const keyDigest = digestOf(JSON.stringify([by, subject, Math.floor(unit.logTime / hour)]));
  const counted = await countGuess(unit, { kind: refusalKind, keyDigest }, counting);
  return counted.kind === 'allowed' ? counted.guesses : Number.MAX_SAFE_INTEGER;
}

function isAmong(count: number, first: number): boolean {
  return count <= first || isRound(count);
}

function isRound(count: number): boolean {
  return /^10*$/.test(String(count));
}
