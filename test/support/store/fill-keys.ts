// Rows of shared keys for tests of backups and of the check of a store.

import type { Store } from '../../../gateway/store/port/store.ts';
import type { Sealer } from '../../../gateway/store/seal/sealing.ts';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { insertRepresentation } from '../../../gateway/store/sharing/representations.ts';
import { insertBlock } from '../../../gateway/store/sharing/share-blocks.ts';
import { insertShare, type ShareRow } from '../../../gateway/store/sharing/shares.ts';

/** The first account gave a key to the second one, which gave it on twice: three uses that somebody has, and an offer. */
export async function fillKeys(sql: Store['sql'], at: number, withSealer: Sealer): Promise<void> {
  await insertCredential(sql, {
    ...{ id: 'cd_1', account_id: 'ac_0', name: 'Card', issuer: 'Hillside', picture: null, created_at: at },
    ...{ valid_from_at: null, valid_until_at: null, created_by: 'operator', withdrawn_at: null, withdrawn_by: null },
  });
  await insertCredentialKey(sql, {
    ...{ id: 'dk_1', credential_id: 'cd_1', name: 'Door', collection: 'c', host: 'h', path: '/', methods: null },
    ...{ needs_second_factor: 0, created_at: at, created_by: 'operator', removed_at: null, removed_by: null },
  });
  const share: ShareRow = {
    ...{ id: 'sh_1', key_id: 'dk_1', parent_id: null, depth: 0, giver_id: 'ac_0', account_id: 'ac_1' },
    ...{ email: 'a1@example.org', state: 'accepted', words: '', secret_digest: 'd', secret_sealed: null },
    ...{ usable_from_at: null, usable_until_at: null, uses_allowed: null, uses_left: null, reshare_depth: 1 },
    ...{ first_mail_at: at, mail_failed_at: null, last_mail_at: at, reminded_at: null, expires_at: at + 9 },
    ...{ created_at: at, accepted_at: at, ended_at: null, ended_by: null, last_used_at: null, creation_digest: null },
  };
  await insertShare(sql, share);
  const below = { parent_id: 'sh_1', depth: 1, giver_id: 'ac_1', account_id: 'ac_0', reshare_depth: 0 };
  await insertShare(sql, { ...share, ...below, id: 'sh_2', uses_allowed: 3, uses_left: 2 });
  const secret_sealed = withSealer.seal({ table: 'shares', row: 'sh_3', column: 'secret_sealed' }, 'secret');
  await insertShare(sql, { ...share, ...below, id: 'sh_3', state: 'pending', accepted_at: null, secret_sealed });
  await insertBlock(sql, { mailboxDigest: 'm', giverId: 'ac_0' }, at);
  await sql
    .insertInto('share_requests')
    .values({
      ...{ selector: 'rq_1', digest: 'd', share_id: 'sh_3', created_at: at, expires_at: at + 9, tried_at: null },
      ...{ digits_digest: null, tries_left: null, used_at: null },
    })
    .execute();
  await insertRepresentation(sql, {
    ...{ id: 'rp_1', key_id: 'dk_1', share_id: 'sh_1', account_id: 'ac_1', session_id: 'se_1', kind: 'url' },
    ...{ secret_digest: 'd', created_at: at, expires_at: at + 9, used_at: null, revoked_at: null, revoked_by: null },
  });
}
