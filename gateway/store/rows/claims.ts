// Spends a claim of a link: the one decision about links that the store makes, by one conditional statement.

import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql } from '../port/store.ts';

/** A claim to be spent: the link with its secret, the account, and the place. */
interface ClaimAttempt {
  readonly linkId: string;
  readonly linkKeyId: string;
  readonly secretDigest: string;
  readonly accountId: string;
  readonly now: EpochSeconds;
  readonly host: string;
  /**
   * The collections that cover the link's path, each with the scopes in it that cover the path: members there have access
   * already.
   */
  readonly others: readonly { readonly collection: string; readonly scopes: readonly string[] }[];
}

/**
 * Spends one claim of a link, if it may be spent at this moment, by one conditional statement whose row count is the verdict. The
 * condition repeats all earlier checks: link key and secret, revocation, window and number; the account is active and verified,
 * has the address that the link was made for, if it was made for one, was never bound to this link, and no other live link lets it in already. Ownership stands in the configuration: the caller
 * checks it.
 *
 * @returns whether a claim was spent
 */
export async function spendClaim(sql: Sql, attempt: ClaimAttempt): Promise<boolean> {
  const { others, ...asked } = attempt;
  const pairs = others.flatMap(({ collection, scopes }) => scopes.map((path) => ({ collection, path })));
  const spent = await spend(sql, {
    ...asked,
    otherCollections: pairs.map(({ collection }) => collection),
    otherPaths: pairs.map(({ path }) => path),
  });
  return spent.numAffectedRows === 1n;
}

/** The attempt with `others` as two lists of the same length: pairs of collection and path. */
interface SpentValues extends Omit<ClaimAttempt, 'others'> {
  readonly otherCollections: readonly string[];
  readonly otherPaths: readonly string[];
}

const spend = fixedStatement((sql, at: Places<SpentValues>) =>
  sql
    .updateTable('links')
    .set((is) => ({ claims_used: is('claims_used', '+', 1) }))
    .where('id', '=', at.value('linkId'))
    .where('access_key_id', '=', at.value('linkKeyId'))
    .where('secret_digest', '=', at.value('secretDigest'))
    .where('revoked_at', 'is', null)
    .whereRef('claims_used', '<', 'claims_allowed')
    .where((is) => is.or([is('claim_from_at', 'is', null), is('claim_from_at', '<=', at.value('now'))]))
    .where((is) => is.or([is('claim_until_at', 'is', null), is('claim_until_at', '>', at.value('now'))]))
    .where((is) => is.or([is('access_until_at', 'is', null), is('access_until_at', '>', at.value('now'))]))
    .where((is) =>
      is.exists(
        is
          .selectFrom('access_keys')
          .select('access_keys.id')
          .where('access_keys.id', '=', at.value('linkKeyId'))
          .where('access_keys.revoked_at', 'is', null),
      ),
    )
    .where((is) =>
      is.exists(
        is
          .selectFrom('accounts')
          .select('accounts.id')
          .where('accounts.id', '=', at.value('accountId'))
          .where('accounts.state', '=', 'active')
          .where('accounts.email_verified_at', 'is not', null)
          .where((to) =>
            to.or([to('links.for_email', 'is', null), to('links.for_email', '=', to.ref('accounts.email'))]),
          ),
      ),
    )
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('members')
            .select('members.id')
            .where('members.link_id', '=', at.value('linkId'))
            .where('members.account_id', '=', at.value('accountId')),
        ),
      ),
    )
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('members as other')
            .innerJoin('links as by', 'by.id', 'other.link_id')
            .select('other.id')
            .where('other.account_id', '=', at.value('accountId'))
            .where('other.host', '=', at.value('host'))
            .where((to) => {
              const paths = at.list('otherPaths');
              return to.or(
                at.list('otherCollections').map((collection, index) => {
                  const path = paths[index];
                  if (path === undefined) throw new Error('a collection without a path');
                  return to.and([to('other.collection', '=', collection), to('other.path', '=', path)]);
                }),
              );
            })
            .where('other.revoked_at', 'is', null)
            .where('by.revoked_at', 'is', null)
            .where((to) =>
              to.or([to('by.access_until_at', 'is', null), to('by.access_until_at', '>', at.value('now'))]),
            ),
        ),
      ),
    ),
);
