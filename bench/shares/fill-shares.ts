// A store full of shares, written by a handful of statements: owners with a credential and a key each, people who got shares of all kinds, and one
// key that was given on to very many. SQLite only.

import { sql as raw } from 'kysely';
import type { ControlContext } from '../../gateway/control/context/control-context.ts';

/** How much there is. Account 0 holds a share with `below` shares under it; it and those are beside `shares`. */
export interface ShareSizes {
  readonly shares: number;
  readonly accounts: number;
  readonly owners: number;
  readonly below: number;
}

/** Number of the share that has the many below it; they follow it. */
export const trunk = ({ shares }: ShareSizes): number => shares;

export const host = 'media.localhost';

/** Ids by number: the owners are the first accounts behind the people. */
export function idOf(prefix: 'ac' | 'se' | 'dv' | 'cd' | 'dk' | 'sh', index: number): string {
  return `${prefix}_${String(index).padStart(22, '0')}`;
}

export function emailOf(index: number): string {
  return `p${index}@example.org`;
}

/** Share i gives the key of owner i modulo owners; of ten, six are accepted, two wait, one is revoked, one declined. */
export async function fillShares(context: ControlContext, sizes: ShareSizes, now: number): Promise<void> {
  const { shares, accounts, owners, below } = sizes;
  const all = accounts + owners;
  const id = (prefix: string, column: string) => raw.raw(`'${prefix}_' || printf('%022d', ${column})`);
  const numbers = (count: number) =>
    raw.raw(`with recursive n(i) as (select 0 union all select i + 1 from n where i < ${count - 1})`);
  const share =
    raw.raw(`insert into shares (id, key_id, parent_id, depth, giver_id, email, account_id, state, words, secret_digest,
    secret_sealed, reshare_depth, expires_at, created_at, first_mail_at, last_mail_at, accepted_at, ended_at)`);
  const owner = `(i % ${owners})`;
  // a stride that has no factor with round numbers, so that the shares of an owner go to all kinds of people
  const recipient = `((i * 7919 + i / ${owners}) % ${accounts})`;
  const state = `case i % 10 when 6 then 'pending' when 7 then 'pending' when 8 then 'revoked' when 9 then 'declined' else 'accepted' end`;
  const inTree = `${below} `;
  const statements = [
    raw`${numbers(all)} insert into accounts (id, email, email_verified_at, password_hash, display_name, "groups", role, state, created_at)
      select ${id('ac', 'i')}, 'p' || i || '@example.org', ${now}, 'unread', 'P', '[]', 'user', 'active', ${now} from n`,
    raw`${numbers(all)} insert into devices (id, account_id, browser_selector, browser_digest, name, user_agent, created_at, last_seen_at, ended_at)
      select ${id('dv', 'i')}, ${id('ac', 'i')}, 'b' || i, '', 'D', '', ${now}, ${now}, null from n`,
    raw`${numbers(all)} insert into sessions (id, account_id, device_id, created_at, last_seen_at, expires_at, ended_at)
      select ${id('se', 'i')}, ${id('ac', 'i')}, ${id('dv', 'i')}, ${now}, ${now}, ${now + 86_400}, null from n`,
    raw`${numbers(owners)} insert into credentials (id, account_id, name, issuer, created_at, created_by)
      select ${id('cd', 'i')}, ${id('ac', `${accounts} + i`)}, 'Staff card', 'Hillside', ${now}, 'operator' from n`,
    raw`${numbers(owners)} insert into credential_keys (id, credential_id, name, collection, host, path, needs_second_factor, created_at, created_by)
      select ${id('dk', 'i')}, ${id('cd', 'i')}, 'Door', 'c' || (i % 100), ${host}, '/c' || (i % 100) || '/', 0, ${now}, 'operator' from n`,
    raw`${numbers(shares)} ${share}
      select ${id('sh', 'i')}, ${id('dk', owner)}, null, 0, ${id('ac', `${accounts} + ${owner}`)}, 'p' || ${raw.raw(recipient)} || '@example.org',
        ${id('ac', recipient)}, ${raw.raw(state)}, '', 'd' || i, null, 1, ${now + 86_400}, ${now} - i % 1000000, ${now}, ${now},
        case when i % 10 < 6 then ${now} end, case when i % 10 > 7 then ${now} end from n`,
    raw`${share} values (${idOf('sh', shares)}, ${idOf('dk', 0)}, null, 0, ${idOf('ac', accounts)}, ${emailOf(0)}, ${idOf('ac', 0)}, 'accepted',
        '', 'trunk', null, 1, ${now + 86_400}, ${now}, ${now}, ${now}, ${now}, null)`,
    raw`${numbers(below)} ${share}
      select ${id('sh', `${shares + 1} + i`)}, ${idOf('dk', 0)}, ${idOf('sh', shares)}, 1, ${idOf('ac', 0)}, 'p' || (i + 1) || '@example.org',
        ${id('ac', 'i + 1')}, 'accepted', '', 't' || i, null, 0, ${now + 86_400}, ${now}, ${now}, ${now}, ${now}, null from n`,
  ];
  if (below >= accounts) throw new Error(`${inTree}people are more than ${accounts}`);
  for (const statement of statements) await context.store.write(({ sql }) => statement.execute(sql));
  const row = await context.store.sql
    .selectFrom('shares')
    .select((is) => is.fn.countAll().as('count'))
    .executeTakeFirst();
  if (Number(row?.count) !== shares + 1 + below) throw new Error(`${row?.count} shares were written`);
}
