// What an account could give of a key, for the form that gives it. Reads only: whether the key is given is decided in the unit that gives it.

import type { EpochSeconds } from '../../core/model/time.ts';
import { findCredential } from '../../store/sharing/credentials.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { findMayGive } from './share-authority.ts';

export interface Giving {
  readonly key: {
    readonly id: string;
    readonly name: string;
    readonly credential: { readonly name: string; readonly issuer: string };
  };
  /** End of what the giver has; a share that says a later one ends then. Null for none. */
  readonly untilAt: EpochSeconds | null;
  /** Most shares that may hang below the new one, one under the other. */
  readonly mostDepth: number;
  /** Whether a message can be sent; without one nothing can be given. */
  readonly hasMail: boolean;
}

/** @returns null where there is no such key, and where the actor may not give it. @throws StoreAway */
export async function foreseeGiving(context: ControlContext, actor: Actor, keyId: string): Promise<Giving | null> {
  const { sql } = context.store;
  const right = await findMayGive(sql, context, actor, keyId, context.clock.epochSeconds());
  if (right === null) return null;
  const { held, mostDepth } = right;
  const credential = await findCredential(sql, held.credentialId);
  if (credential === null) return null;
  const { mail, portal } = context.config();
  return {
    key: {
      ...{ id: held.keyId, name: held.keyName },
      credential: { name: credential.name, issuer: credential.issuer },
    },
    ...{ untilAt: held.untilAt, mostDepth, hasMail: mail !== null && portal !== null },
  };
}
