// Which of the explicit tokens in a request are latchkey's. All others are the site's and decide nothing: the application behind the
// gateway may use `Authorization: Bearer` and a parameter of the same name itself.
// A token is latchkey's when it names one of latchkey's keys: then it decides alone, even if it is no valid token. A token in the path
// form always is latchkey's.

import { type ExplicitToken, maxExplicitTokens, type RequestFacts } from '../state/facts.ts';
import type { LiveIndex } from '../state/snapshot.ts';

/** How many explicit tokens of latchkey's a request has. With more than `maxExplicitTokens`, all of them count as latchkey's. */
export function countOwn(facts: RequestFacts, live: LiveIndex): number {
  if (facts.explicitCount > maxExplicitTokens) return facts.explicitCount;
  let count = 0;
  for (const each of explicitTokens(facts)) if (isOwn(each, live)) count++;
  return count;
}

/**
 * The one token of latchkey's among several.
 *
 * @returns null when all of them are the site's; `repeated` when more than one may be meant for latchkey
 */
export function chooseOwn(facts: RequestFacts, live: LiveIndex): ExplicitToken | 'repeated' | null {
  if (facts.explicitCount > maxExplicitTokens) return 'repeated';
  let own: ExplicitToken | null = null;
  let inQuery = 0;
  for (const each of explicitTokens(facts)) {
    if (each.form === 'query') inQuery++;
    if (!isOwn(each, live)) continue;
    if (own !== null) return 'repeated';
    own = each;
  }
  // of two parameters of one name the site may read the other one
  return own?.form === 'query' && inQuery > 1 ? 'repeated' : own;
}

/** Whether a token is meant for latchkey. */
function isOwn({ form, token }: ExplicitToken, live: LiveIndex): boolean {
  return form === 'path' || live.isOurs(token);
}

/** The text of the explicit token in a place; null when the place has none. */
export function tokenAt(facts: RequestFacts, place: string): string | null {
  if (facts.explicitForm === place) return facts.explicitToken;
  return facts.moreTokens.find(({ form }) => form === place)?.token ?? null;
}

function explicitTokens({ explicitToken, explicitForm, moreTokens }: RequestFacts): readonly ExplicitToken[] {
  if (explicitToken === null || explicitForm === null) return [];
  return [{ form: explicitForm, token: explicitToken }, ...moreTokens];
}
