// Removes a key from its credential, for good: nobody opens anything by it any more, neither the credential's account nor those to whom it
// was shared. One small write, since all that was made from the key names it.

import { findCredentialKey, markCredentialKeyRemoved } from '../../store/sharing/credentials.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { noteShare, type Origin } from './note-share.ts';
import type { EndOfKeys } from './withdraw-credential.ts';

/** @throws StoreAway  nothing may be called removed */
export async function removeKey(
  context: ControlContext,
  actor: Actor,
  keyId: string,
  origin: Origin,
): Promise<EndOfKeys> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const written = await context.write(async (unit): Promise<EndOfKeys> => {
    const key = await findCredentialKey(unit.sql, keyId);
    if (key === null) return { kind: 'refused', reason: 'unknown' };
    const by = actorName(actor);
    if (!(await markCredentialKeyRemoved(unit.sql, key.id, by, unit.now))) return { kind: 'ended', wasLive: false };
    await unit.append({ kind: 'revoke', node: key.id });
    await noteShare(unit, {
      ...{ actor: by, action: 'credential-key.removed', subject: key.id },
      details: { credential: key.credential_id, collection: key.collection },
      origin,
    });
    return { kind: 'ended', wasLive: true };
  });
  return written.value;
}
