// Writes refused sign-ins into the history, of unknown addresses too; an address without an account is not written down.
// Somebody who guesses all day must not fill the history, so refusals of an hour are counted: by the mail address that was typed,
// by the network they came from, and in all. The first few are rows of their own, later ones stand in the counts of a few rows.
// The work does not depend on whether there is such an account.

import { clientNetworks } from '../../core/token/client-network.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import type { ControlContext } from '../context/control-context.ts';
import { refusalsWrittenDown } from '../proof/account-limits.ts';
import { countRequest, type WindowBound } from '../proof/throttle.ts';

interface RefusedSignIn {
  /** null for an address without an account. */
  readonly accountId: string | null;
  /** As it was typed, normalised. */
  readonly email: string;
  readonly clientAddress: string;
  readonly requestId: string | null;
}

export async function recordRefusal(context: ControlContext, refused: RefusedSignIn): Promise<void> {
  await context.write(async (unit) => {
    const by = (what: 'email' | 'network' | 'all', subject: string): WindowBound => ({
      kind: 'refused-sign-in',
      subject: `${what} ${subject}`,
    });
    const counted = await countRequest(unit, context, [
      by('email', refused.email),
      by('network', clientNetworks(refused.clientAddress).source),
      by('all', ''),
    ]);
    // The table has no room for counts: what is not counted is not written down.
    if (counted.kind === 'blocked') return;
    const [byAddress = 0, byNetwork = 0, inAll = 0] = counted.tries;
    const details = { this_hour_by_address: byAddress, this_hour_by_network: byNetwork, this_hour_in_all: inAll };
    const { one, network, all } = refusalsWrittenDown;
    const isWritten = inAll > all ? isRound(inAll) : isAmong(byAddress, one) && isAmong(byNetwork, network);
    if (!isWritten) return;
    const { accountId, requestId } = refused;
    const subject = accountId ?? 'unknown';
    await appendAudit(unit, { actor: 'system', action: 'session.refused', subject, details, requestId });
  });
}

function isAmong(count: number, first: number): boolean {
  return count <= first || isRound(count);
}

function isRound(count: number): boolean {
  return /^10*$/.test(String(count));
}
