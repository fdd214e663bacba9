// Which of the tokens that were put into a request on purpose are ours. Others are the site's, and decide nothing: the application
// behind the gateway may use `Authorization: Bearer` and a parameter of the same name for itself.
// A token is ours when it names a key of ours: then it decides alone, whatever else is wrong with it. The path form always is.

import { type ExplicitToken, maxExplicitTokens, type RequestFacts } from './facts.ts';
import type { LiveIndex } from './snapshot.ts';

/** How many explicit tokens of ours a request holds; everything that is too much to be told apart counts as ours. */
export function countOwn(facts: RequestFacts, live: LiveIndex): number {
  if (facts.explicitCount > maxExplicitTokens) return facts.explicitCount;
  let count = 0;
  for (const each of explicitTokens(facts)) if (isOwn(each, live)) count++;
  return count;
}

/**
 * The one token of ours among several.
 *
 * @returns null when all of them are the site's; `repeated` when more than one may be meant for us
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
  // of two parameters of one name the site may read the other
  return own?.form === 'query' && inQuery > 1 ? 'repeated' : own;
}

/** Whether a token is meant for us. */
function isOwn({ form, token }: ExplicitToken, live: LiveIndex): boolean {
  return form === 'path' || live.isOurs(token);
}

/** The text of the explicit token that stood in a place; null when none did. */
export function tokenAt(facts: RequestFacts, place: string): string | null {
  if (facts.explicitForm === place) return facts.explicitToken;
  return facts.moreTokens.find(({ form }) => form === place)?.token ?? null;
}

function explicitTokens({ explicitToken, explicitForm, moreTokens }: RequestFacts): readonly ExplicitToken[] {
  if (explicitToken === null || explicitForm === null) return [];
  return [{ form: explicitForm, token: explicitToken }, ...moreTokens];
}
