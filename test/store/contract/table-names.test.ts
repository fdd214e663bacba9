// The names of tables and columns. Data folders and backups that exist hold them, so they stay whatever the code calls what is in
// them.

import { expect, test } from 'vitest';
import { describeEngines, openEmpty } from '../../support/store/stores.ts';

describeEngines('names', (engine) => {
  test('tables and columns are called what older data folders call them', async () => {
    const { store } = await openEmpty(engine);
    const tables = await store.sql.introspection.getTables();
    const names = Object.fromEntries(
      tables
        .map(
          ({ name, columns }) =>
            [
              name,
              columns
                .map((column) => column.name)
                .sort()
                .join(' '),
            ] as const,
        )
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    );
    expect(names).toMatchInlineSnapshot(`
      {
        "access_keys": "collection created_at id owner_id revoked_at",
        "accounts": "created_at display_name email email_verified_at groups id password_hash role state time_zone",
        "audit": "action actor at details position request_id subject",
        "changes": "at epoch kind node seq",
        "credential_keys": "collection created_at created_by credential_id host id methods name needs_second_factor path removed_at removed_by",
        "credentials": "account_id created_at created_by id issuer name picture valid_from_at valid_until_at withdrawn_at withdrawn_by",
        "devices": "account_id browser_digest browser_selector created_at ended_at id last_network last_seen_at name user_agent",
        "keys": "algorithm created_at id purpose secret_sealed state",
        "links": "access_key_id access_until_at claim_from_at claim_until_at claims_allowed claims_used collection created_at creation_digest creation_place for_email host id label methods notify_members owner_id path revoked_at revoked_by revoked_with secret_digest secret_sealed",
        "log_marks": "ahead epoch log_time lowest_clock seq",
        "log_position": "ahead epoch hour_ahead id log_time lowest_clock marked_at newest_at seq",
        "members": "access_key_id account_id claimed_at collection device_id host id last_seen_at link_id path revoked_at revoked_by",
        "one_time_codes": "account_id carried_sealed created_at details digest digits_digest expires_at mailbox_digest purpose selector tries_left used_at",
        "outbox": "account_id attempts body_sealed created_at deferred_seconds delivered_at given_up_at id kind last_problem leased_until_at next_attempt_at subject",
        "representations": "account_id created_at expires_at id key_id kind revoked_at revoked_by secret_digest session_id share_id used_at",
        "schema_migrations": "number",
        "sessions": "account_id created_at device_id ended_at expires_at id last_seen_at",
        "share_blocks": "created_at giver_id mailbox_digest",
        "share_requests": "created_at digest digits_digest expires_at selector share_id tried_at tries_left used_at",
        "shares": "accepted_at account_id created_at creation_digest depth email ended_at ended_by expires_at first_mail_at giver_id id key_id last_mail_at last_used_at mail_failed_at parent_id reminded_at reshare_depth secret_digest secret_sealed state usable_from_at usable_until_at uses_allowed uses_left words",
        "store_marks": "name value",
        "throttles": "blocked_until_at failures first_at key_digest kind last_at",
      }
    `);
  });
});
