// Refuses tokens that others made with the common key: one by its id, all of a subject, or all of a key, as far as they were made
// until now. Who is signed in with latchkey hangs on accounts, links and keys of the ring, which are revoked where they are kept.
// Rules: gateway/RULES.md "One graph of revocation".

import type { EpochSeconds } from '../../core/model/time.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';

/** The claims that outside tokens are matched by. */
type OutsideClaim = 'jti' | 'sub' | 'kid';

/** Longest value: a change names its node in 300 characters. */
export const maxOutsideValue = 290;

type OutsideRevoked =
  | { readonly kind: 'revoked'; readonly at: EpochSeconds }
  /** `bad-value`: empty, too long, or no text that a token could say. */
  | { readonly kind: 'refused'; readonly reason: 'forbidden' | 'bad-value' };

/** Resolves once every edge of this node refuses them. @throws StoreAway */
export async function revokeOutside(
  context: ControlContext,
  actor: Actor,
  { claim, value }: { readonly claim: OutsideClaim; readonly value: string },
): Promise<OutsideRevoked> {
  if (actor.kind === 'account' && actor.role !== 'admin') return { kind: 'refused', reason: 'forbidden' };
  if (value === '' || value.length > maxOutsideValue || !value.isWellFormed() || /\p{Cc}/u.test(value)) {
    return { kind: 'refused', reason: 'bad-value' };
  }
  const node = `${claim}:${value}`;
  const written = await context.write(async (unit) => {
    await unit.append({ kind: 'outside', node });
    await appendAudit(unit, { actor: actorName(actor), action: 'token.revoked', subject: node });
    return unit.changedAt;
  });
  return { kind: 'revoked', at: written.value };
}
