// The keys that an account has, as it reads them itself: own ones, and those that it accepted. Each with whether it opens at this moment,
// by the same question that look-ups ask.

import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { type KeptKey, listKeptKeys } from '../../store/sharing/held-lists.ts';
import { findHeldShares } from '../../store/sharing/share-chains.ts';

/**
 * `open`     it opens now, or a representation can be made of it
 * `early`    it opens later
 * `stopped`  it was accepted, and something above it does not hold now, such as the account that gave it
 * `used-up`  it may be used a number of times, and was
 */
export const keyStates = ['open', 'early', 'stopped', 'used-up'] as const;
export type KeyState = (typeof keyStates)[number];

interface StandingKey extends KeptKey {
  readonly state: KeyState;
  /** The earliest end of anything that it hangs on; null for none, and where it does not open now. */
  readonly untilAt: EpochSeconds | null;
}

interface KeysPage {
  /** The last key of the page before; null for the first page. */
  readonly before: Pick<KeptKey, 'sinceAt' | 'id'> | null;
  readonly limit: number;
  /** Only the ways in which the account has this key. Default: all keys. */
  readonly keyId?: string | undefined;
}

/** Newest first. @param accountId  of an account that is active and was read in this request */
export async function listStandingKeys(
  sql: Sql,
  accountId: string,
  page: KeysPage,
  now: EpochSeconds,
): Promise<readonly StandingKey[]> {
  const kept = await listKeptKeys(sql, accountId, { ...page, now });
  const shares = kept.flatMap(({ shareId }) => (shareId === null ? [] : [shareId]));
  const held = new Map((await findHeldShares(sql, shares, now)).map((each) => [each.shareId, each]));
  return kept.map((key) => {
    const chain = key.shareId === null ? undefined : held.get(key.shareId);
    const holds = key.shareId === null || chain !== undefined;
    const untilAt = key.shareId === null ? key.validUntilAt : (chain?.untilAt ?? null);
    return { ...key, state: stateOf(key, holds, now), untilAt };
  });
}

function stateOf(key: KeptKey, holds: boolean, now: EpochSeconds): KeyState {
  const isEarly = [key.validFromAt, key.usableFromAt].some((at) => at !== null && at > now);
  if (isEarly) return 'early';
  if (!holds) return 'stopped';
  return key.usesLeft === 0 ? 'used-up' : 'open';
}
