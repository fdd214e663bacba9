// Rows of signing keys: secrets are sealed, at most one key of each purpose signs, and every change of the ring is in the change
// log. Keys that YAML declares have no rows; the caller checks whether a change makes sense beside them. Rules: gateway/RULES.md
// "Keys".

import type { SigningKey, SigningKeyPurpose, SigningKeyState } from '../../core/model/signing-key.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { SealedPlace, Sealer } from '../seal/sealing.ts';

interface StoredSigningKey extends SigningKey {
  readonly createdAt: EpochSeconds;
}

type InsertedSigningKey =
  | { readonly kind: 'inserted' }
  /** A key has this id already. */
  | { readonly kind: 'exists' }
  /** Another key signs for this purpose: insert the new key as `verifying` and promote it. */
  | { readonly kind: 'another-signs'; readonly id: string };

type ChangedSigningKey =
  | {
      readonly kind: 'changed';
      readonly purpose: SigningKeyPurpose;
      readonly from: SigningKeyState;
      /** The key that signed until now and only verifies from now on. */
      readonly demoted: string | null;
    }
  | { readonly kind: 'unchanged'; readonly purpose: SigningKeyPurpose }
  | { readonly kind: 'unknown' }
  /** The key signs, and no other key would sign after it: promote another key first. */
  | { readonly kind: 'only-signer'; readonly purpose: SigningKeyPurpose };

/** Adds a key. Its secret is sealed; the id stays with it for ever. */
export async function insertSigningKey(unit: Unit, sealer: Sealer, key: SigningKey): Promise<InsertedSigningKey> {
  if (key.state === 'signing') {
    const signer = await findSigner(unit, key.purpose);
    if (signer !== null && signer !== key.id) return { kind: 'another-signs', id: signer };
  }
  const inserted = await unit.sql
    .insertInto('keys')
    .values({
      id: key.id,
      algorithm: key.algorithm,
      purpose: key.purpose,
      state: key.state,
      secret_sealed: sealer.seal(placeOf(key.id), key.secret),
      created_at: unit.now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) return { kind: 'exists' };
  await unit.append({ kind: 'keys', node: 'keys' });
  return { kind: 'inserted' };
}

/** All keys, or those of one purpose, oldest first. @throws SealBroken */
export async function listSigningKeys(
  sql: Sql,
  sealer: Sealer,
  purpose?: SigningKeyPurpose,
): Promise<StoredSigningKey[]> {
  let query = sql.selectFrom('keys').selectAll().orderBy('created_at').orderBy('id');
  if (purpose !== undefined) query = query.where('purpose', '=', purpose);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    algorithm: row.algorithm,
    purpose: row.purpose,
    state: row.state,
    secret: sealer.open(placeOf(row.id), row.secret_sealed),
    createdAt: row.created_at,
  }));
}

/** Ids of all keys. */
export async function listKeyIds(sql: Sql): Promise<readonly string[]> {
  return (await sql.selectFrom('keys').select('id').execute()).map(({ id }) => id);
}

/** The state of a key; null for an unknown key. */
export async function readKeyState(sql: Sql, id: string): Promise<SigningKeyState | null> {
  return (await sql.selectFrom('keys').select('state').where('id', '=', id).executeTakeFirst())?.state ?? null;
}

/**
 * Changes the state of a key. A key that becomes the signer demotes the former signer in the same unit.
 *
 * @param signer  `may-go`: no stored key of this purpose has to sign, because a key of YAML does. Default `must-stay`
 */
export async function setSigningKeyState(
  unit: Unit,
  id: string,
  state: SigningKeyState,
  signer: 'must-stay' | 'may-go' = 'must-stay',
): Promise<ChangedSigningKey> {
  const key = await unit.sql.selectFrom('keys').select(['purpose', 'state']).where('id', '=', id).executeTakeFirst();
  if (key === undefined) return { kind: 'unknown' };
  const { purpose, state: from } = key;
  if (from === state) return { kind: 'unchanged', purpose };
  if (from === 'signing' && signer === 'must-stay') return { kind: 'only-signer', purpose };
  let demoted: string | null = null;
  if (state === 'signing') {
    demoted = await findSigner(unit, purpose);
    await unit.sql
      .updateTable('keys')
      .set({ state: 'verifying' })
      .where('purpose', '=', purpose)
      .where('state', '=', 'signing')
      .execute();
  }
  await unit.sql.updateTable('keys').set({ state }).where('id', '=', id).execute();
  await unit.append({ kind: 'keys', node: 'keys' });
  return { kind: 'changed', purpose, from, demoted };
}

async function findSigner(unit: Unit, purpose: SigningKeyPurpose): Promise<string | null> {
  const row = await unit.sql
    .selectFrom('keys')
    .select('id')
    .where('purpose', '=', purpose)
    .where('state', '=', 'signing')
    .executeTakeFirst();
  return row?.id ?? null;
}

function placeOf(id: string): SealedPlace {
  return { table: 'keys', row: id, column: 'secret_sealed' };
}
