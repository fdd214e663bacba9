// Whether `allow` of a route can let anybody in: it names people, and the credentials that the route takes say who their holder is.

import { type Problem, problemAt } from '../problems/problem.ts';
import type { Draft } from '../schema/inspect.ts';
import type { ConfigFile } from '../schema/schema.ts';

/** Why a kind of credential cannot stand beside `allow`; kinds that are not named here can. */
const sayNobody: Readonly<Record<string, readonly [problem: string, hint: string]>> = {
  anyone: ['anyone lets everybody in, and allow names some', 'drop anyone, or drop allow'],
  password: [
    'a password of the users file says neither an address nor a group, so allow refuses whoever comes with one',
    'take session, member or token here, or give these people a route of their own',
  ],
};

export function checkWho(
  { allow, accept }: NonNullable<Draft<ConfigFile['routes'][number]>>,
  at: number,
  problems: Problem[],
): void {
  if (allow === undefined) return;
  const lists = [allow.groups, allow.accounts, allow.domains];
  if (lists.every((list) => list?.length === 0)) {
    problems.push(problemAt(['routes', at, 'allow'], 'names nobody', 'name groups, accounts or domains, or drop it'));
  }
  for (const [place, kind] of (accept ?? []).entries()) {
    const wrong = kind === undefined ? undefined : sayNobody[kind];
    if (wrong !== undefined) problems.push(problemAt(['routes', at, 'accept', place], ...wrong));
  }
}
