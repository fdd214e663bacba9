// Counts codes of mails that do not work, by the one rule for guesses. A code has 256 random bits, so nobody finds one: what is bounded
// is how many answers and rows somebody makes who tries. So a code is looked at first, and one that works keeps nobody waiting,
// whatever others tried from the same network.

import type { ControlContext } from '../context/control-context.ts';
import { countGuessAt } from './count-guess.ts';

export type WrongCode =
  | { readonly kind: 'refused' }
  /** Many that do not work came from there. This one does not either. */
  | { readonly kind: 'too-many'; readonly retryAfterSeconds: number };

/** What to answer to a code that does not work. */
export async function refuseCode(
  context: Pick<ControlContext, 'write'>,
  clientAddress: string | undefined,
): Promise<WrongCode> {
  const guess = { secret: 'mailed-code', name: null, clientAddress: clientAddress ?? '', known: null } as const;
  const { value: wait } = await context.write((unit) => countGuessAt(unit, guess));
  return wait === null ? { kind: 'refused' } : { kind: 'too-many', retryAfterSeconds: wait };
}
