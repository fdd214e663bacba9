// Groups that `allow` of a route names and no account has: mostly typing errors, which refuse everybody.

import type { Config } from '../config/compiled/config.ts';
import type { Problem } from '../config/problems/problem.ts';
import { problemAt } from '../config/problems/problem.ts';
import { suggestionHint } from '../config/problems/suggest.ts';
import { CommandError } from './command/command-error.ts';

/** @returns warnings about such groups; or one note, where the accounts could not be looked at */
export async function checkGroups(
  config: Config,
): Promise<{ warnings: readonly Problem[]; notes: readonly Problem[] }> {
  // a token may say a group that no account has
  const named = config.routes.flatMap(({ allow, accept }, at) =>
    allow === null || accept.includes('token') ? [] : allow.groups.map((group, place) => ({ at, place, group })),
  );
  if (named.length === 0) return { warnings: [], notes: [] };
  try {
    const known = await groupsOfAccounts(config);
    const missing = named.filter(({ group }) => !known.has(group));
    const hint = (group: string) => suggestionHint(group, [...known]);
    return {
      warnings: missing.map(({ at, place, group }) =>
        problemAt(
          ['routes', at, 'allow', 'groups', place],
          `no account is in the group ${JSON.stringify(group)}`,
          hint(group),
        ),
      ),
      notes: [],
    };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const note = `whether accounts have the groups could not be looked at: ${error.message}`;
    return { warnings: [], notes: [problemAt(['routes', named[0]?.at ?? 0, 'allow', 'groups'], note)] };
  }
}

async function groupsOfAccounts(config: Config): Promise<ReadonlySet<string>> {
  const { withStore } = await import('./command/open-store-for-command.ts');
  const { adminListAccounts } = await import('../control/accounts/administer-accounts.ts');
  const known = new Set<string>();
  await withStore(config, 'read', async ({ context }) => {
    let after: string | undefined;
    do {
      const page = await adminListAccounts(context, { kind: 'operator' }, { limit: 500, after });
      if (page.kind === 'refused') return;
      for (const { groups } of page.accounts) for (const group of groups) known.add(group);
      after = page.next ?? undefined;
    } while (after !== undefined);
  });
  return known;
}
