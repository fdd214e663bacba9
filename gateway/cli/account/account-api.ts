// What the account commands share: how the command line names an account, and the words for refusals. The commands read answers by the
// shapes of `v1`, see api/v1/account-shapes.ts.
// An account is named by its address or its id; where several unverified accounts have the same address, only the id will do.

import type { z } from 'zod';
import { type Account, accountShape, accountsShape } from '../../api/v1/account-shapes.ts';
import { isId } from '../../core/model/node-id.ts';
import { isoTime } from '../../telemetry/clock.ts';
import { CommandError, usageError } from '../command/command-error.ts';
import type { OperatorApi } from '../command/operator-api.ts';
import type { RefusalWords } from '../command/refusal-words.ts';

const pageSize = 500;

/** Messages and hints for refusals, by the endpoint's reason. */
export const accountWords: RefusalWords = {
  'bad-address': { message: 'this is not a mail address', hint: 'write it like anna@example.org' },
  'bad-name': { message: 'the name is too long or has control characters', hint: 'one line, at most 100 characters' },
  'bad-groups': { message: 'groups have no commas and no control characters', hint: 'one --group for each' },
  exists: { message: 'somebody has an account with this address', hint: 'latchkey account show ADDRESS' },
  unknown: { message: 'there is no such account', hint: 'latchkey account list' },
  'last-admin': {
    message: 'this is the last administrator',
    hint: 'make somebody else one first: latchkey account set-role WHO admin',
  },
  verified: { message: 'the account is in use already', hint: 'latchkey account sign-in-link WHO' },
  unverified: {
    message: 'nobody has shown yet that the address is theirs',
    hint: 'invite them: latchkey account invite ADDRESS',
  },
  disabled: { message: 'the account is disabled', hint: 'latchkey account enable WHO' },
  'password-too-short': { message: 'the password is too short', hint: 'at least 10 characters; long ones are better' },
  'password-too-long': { message: 'the password is too long' },
  'password-is-the-address': { message: 'the password is the address', hint: 'choose one that nobody guesses' },
  'password-too-common': { message: 'the password is one that everybody tries', hint: 'choose another one' },
};

/**
 * Lists accounts in the order of their addresses.
 *
 * @param options  `search`: text in the address or name; `limit`: most accounts to return
 * @returns `hasMore` when there are more accounts than `limit`
 */
export async function listAccounts(
  api: OperatorApi,
  options: { readonly search?: string | undefined; readonly limit: number },
): Promise<{ readonly accounts: readonly Account[]; readonly hasMore: boolean }> {
  const accounts: Account[] = [];
  let after: string | null = null;
  for (;;) {
    const query = new URLSearchParams({ limit: String(Math.min(pageSize, options.limit)) });
    if (options.search !== undefined) query.set('search', options.search);
    if (after !== null) query.set('after', after);
    const page: z.infer<typeof accountsShape> = await api.ask('GET', `accounts?${query}`, accountsShape);
    accounts.push(...page.accounts);
    after = page.next;
    if (after === null || accounts.length >= options.limit) {
      return { accounts: accounts.slice(0, options.limit), hasMore: after !== null || accounts.length > options.limit };
    }
  }
}

/**
 * Finds the account that is meant.
 *
 * @param who  an id, or an address in any case; among accounts of the same address a verified one is meant
 * @throws CommandError when there is no such account, or several
 */
export async function findAccount(api: OperatorApi, who: string): Promise<Account> {
  const found = await findAccounts(api, who);
  const [account, another] = found;
  if (account === undefined) {
    throw new CommandError(`there is no account ${JSON.stringify(who)}`, { hint: 'latchkey account list' });
  }
  if (another !== undefined) {
    throw new CommandError(`${found.length} accounts name ${who}, and none has shown that it is theirs`, {
      hint: `say which by its id: ${found.map(({ id }) => id).join(', ')}`,
    });
  }
  return account;
}

/** As `findAccount`, but returns no account, the one that is meant, or several that are all unverified. */
export async function findAccounts(api: OperatorApi, who: string): Promise<readonly Account[]> {
  if (isId('account', who)) return [await api.ask('GET', `accounts/${encodeURIComponent(who)}`, accountShape)];
  const address = who.trim().toLowerCase();
  if (!address.includes('@'))
    throw usageError(`${JSON.stringify(who)} is no address and no id`, 'anna@example.org, or ac_…');
  const { accounts } = await listAccounts(api, { search: address, limit: 5000 });
  const named = accounts.filter(({ email }) => email.toLowerCase() === address);
  const verified = named.filter((account) => account.is_verified);
  return verified.length > 0 ? verified : named;
}

/** The state of an account in one or two words. */
export function standingOf({ state, is_verified }: Account): string {
  return state === 'active' && !is_verified ? 'not verified' : state;
}

/** All facts about an account as text, one a line. */
export function describeAccount(account: Account): string {
  const lines: [string, string][] = [
    ['id', account.id],
    ['address', account.email],
    ['name', account.name === '' ? '-' : account.name],
    ['groups', account.groups.length === 0 ? '-' : account.groups.join(', ')],
    ['role', account.role],
    ['state', standingOf(account)],
    ['password', account.has_password ? 'yes' : 'none: signs in by links'],
    ['made', isoTime(account.created_at * 1000)],
  ];
  return lines.map(([name, value]) => `${name.padEnd(8)}  ${value}`).join('\n');
}
