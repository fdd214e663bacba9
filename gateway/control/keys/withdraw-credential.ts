// Withdraws a credential, for good: its keys open nothing any more, and neither do shares and representations of them. One small write,
// however many hang on it: all that was made from its keys names the credential.

import { findCredential, markCredentialWithdrawn } from '../../store/sharing/credentials.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { noteShare, type Origin } from './note-share.ts';

export type EndOfKeys =
  /** `wasLive` false: it had ended before, and nothing was written. */
  | { readonly kind: 'ended'; readonly wasLive: boolean }
  | { readonly kind: 'refused'; readonly reason: 'not-allowed' | 'unknown' };

/** @throws StoreAway  nothing may be called withdrawn */
export async function withdrawCredential(
  context: ControlContext,
  actor: Actor,
  credentialId: string,
  origin: Origin,
): Promise<EndOfKeys> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const written = await context.write(async (unit): Promise<EndOfKeys> => {
    const credential = await findCredential(unit.sql, credentialId);
    if (credential === null) return { kind: 'refused', reason: 'unknown' };
    const by = actorName(actor);
    if (!(await markCredentialWithdrawn(unit.sql, credential.id, by, unit.now))) {
      return { kind: 'ended', wasLive: false };
    }
    await unit.append({ kind: 'revoke', node: credential.id });
    await noteShare(unit, {
      ...{ actor: by, action: 'credential.withdrawn', subject: credential.id },
      details: { account: credential.account_id },
      origin,
    });
    return { kind: 'ended', wasLive: true };
  });
  return written.value;
}
