// Hangs a key on a credential: a name for something that a collection has, which whoever holds the key can open.

import {
  type CredentialKeyRow,
  countCredentialKeys,
  findCredential,
  findCredentialKey,
  insertCredentialKey,
} from '../../store/sharing/credentials.ts';
import { collectionNamed } from '../access/collections.ts';
import { placeLabel, placeMethods, placePath } from '../access/place-input.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { creationId } from './creation-id.ts';
import { type CredentialKeyView, keyViewOf } from './credential-view.ts';
import { noteShare, type Origin } from './note-share.ts';

interface NewKey {
  readonly credentialId: string;
  readonly name: string;
  readonly collection: string;
  /** A path, or the name of a file or folder in the collection. Default: the whole collection. */
  readonly path?: string | null | undefined;
  /** Default null: the methods of the route and the collection. */
  readonly methods?: readonly string[] | null | undefined;
  /** Whoever accepts a share of it has to prove a second factor, which nobody can as yet. Default false. */
  readonly needsSecondFactor?: boolean | undefined;
  /** The same key of the same actor makes one key of the credential, however often it is sent. Default: none. */
  readonly creationKey?: string | undefined;
  readonly origin: Origin;
}

/** Most keys of one credential, removed ones too: each list of keys is one page. */
export const maxKeysOfCredential = 200;

export type KeyAdded =
  | { readonly kind: 'added'; readonly key: CredentialKeyView }
  | {
      readonly kind: 'refused';
      readonly reason:
        | 'not-allowed'
        | 'unknown'
        | 'no-collection'
        | 'withdrawn'
        | 'too-many-keys'
        | 'bad-label'
        | 'bad-path'
        | 'bad-methods';
    };

/** @throws StoreAway */
export async function addKey(context: ControlContext, actor: Actor, input: NewKey): Promise<KeyAdded> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const config = context.config();
  const name = placeLabel(input.name);
  const collection = collectionNamed(config, input.collection);
  const methods = placeMethods(input.methods ?? null);
  const written = await context.write(async (unit): Promise<KeyAdded> => {
    const credential = await findCredential(unit.sql, input.credentialId);
    if (credential === null) return { kind: 'refused', reason: 'unknown' };
    if (credential.withdrawn_at !== null) return { kind: 'refused', reason: 'withdrawn' };
    if (collection === null) return { kind: 'refused', reason: 'no-collection' };
    if (name === null) return { kind: 'refused', reason: 'bad-label' };
    const path = placePath(collection, input.path ?? null);
    if (path === null) return { kind: 'refused', reason: 'bad-path' };
    if (methods === undefined) return { kind: 'refused', reason: 'bad-methods' };
    const id = creationId(context, actor, 'credentialKey', input.creationKey);
    const before = await findCredentialKey(unit.sql, id);
    if (before !== null) return { kind: 'added', key: keyViewOf(config, before) };
    if ((await countCredentialKeys(unit.sql, credential.id)) >= maxKeysOfCredential) {
      return { kind: 'refused', reason: 'too-many-keys' };
    }
    const row: CredentialKeyRow = {
      ...{ id, credential_id: credential.id, name },
      ...{ collection: collection.name, host: collection.host, path, methods },
      needs_second_factor: input.needsSecondFactor === true ? 1 : 0,
      ...{ created_at: unit.now, created_by: actorName(actor), removed_at: null, removed_by: null },
    };
    await insertCredentialKey(unit.sql, row);
    // an edge may remember that the account opens nothing there
    await unit.append({ kind: 'touch', node: credential.account_id });
    const { host } = collection;
    await noteShare(unit, {
      ...{ actor: actorName(actor), action: 'credential-key.added', subject: row.id },
      details: { credential: credential.id, account: credential.account_id, collection: collection.name, host, path },
      origin: input.origin,
    });
    return { kind: 'added', key: keyViewOf(config, row) };
  });
  return written.value;
}
