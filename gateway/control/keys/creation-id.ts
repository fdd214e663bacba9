// The id of a record that a form or a program makes, so that what is sent twice makes one record: it follows from the maker and from the key of
// the form. Ids are public and open nothing, so one that its maker could calculate gives nothing away.

import { createHash } from 'node:crypto';
import { type IdKind, idRandomBytes, makeId } from '../../core/model/node-id.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';

/** @param creationKey  any text, which is one for each record; absent: the id is random */
export function creationId(
  { random }: Pick<ControlContext, 'random'>,
  actor: Actor,
  kind: IdKind,
  creationKey: string | undefined,
): string {
  if (creationKey === undefined) return makeId(kind, random(idRandomBytes));
  // JSON keeps the parts apart
  const digest = createHash('sha256')
    .update(JSON.stringify([kind, actorName(actor), creationKey]))
    .digest();
  return makeId(kind, digest.subarray(0, idRandomBytes));
}
