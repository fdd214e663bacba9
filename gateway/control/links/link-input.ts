// Checks the settings of a link: where it leads, how many accounts may claim it, and when. Writes nothing.
// Refusals are reasons from a closed list; their texts are in `linkProblemText`.

import { maxClaimsAllowed, maxLabelLength } from '../../core/model/link.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { type EpochSeconds, latestMoment } from '../../core/model/time.ts';

export type LinkProblem =
  | 'bad-path'
  | 'bad-label'
  | 'bad-claims'
  | 'bad-window'
  | 'bad-methods'
  | 'bad-addresses'
  | 'too-many-addresses';

/** How many people one form may name. */
export const maxAddresses = 50;

/** When a link can be claimed and how long it opens anything. Absent is null: no limit. */
interface LinkTimes {
  readonly claimFromAt: EpochSeconds | null;
  readonly claimUntilAt: EpochSeconds | null;
  readonly accessUntilAt: EpochSeconds | null;
}

/** The text of each problem, in the words of the form and of the API. */
export function linkProblemText(problem: LinkProblem): string {
  switch (problem) {
    case 'bad-path':
      return 'the path has to lie in the collection, in its plain form, without "*", ";" or "," (hint: leave it out for the whole collection)';
    case 'bad-label':
      return `the name has to be one line of at most ${maxLabelLength} characters`;
    case 'bad-claims':
      return `the number of people has to be from 1 to ${maxClaimsAllowed}, and not below those who came in already`;
    case 'bad-window':
      return 'the times have to be in order and the last ones in the future: first claim, last claim, end of access';
    case 'bad-methods':
      return 'methods have to be upper-case names, GET among them, at most 16 (hint: leave them out for all)';
    case 'bad-addresses':
      return 'each entry has to be one plain mail address, like anna@example.org';
    case 'too-many-addresses':
      return `at most ${maxAddresses} addresses at once`;
    default:
      return problem satisfies never;
  }
}

/**
 * The addresses of the people that links are made for, in their normal form and each once.
 *
 * @param given  one text for each address, as it was typed; a name before an address in angle brackets is dropped
 * @returns with the texts that are no address, where there are any; `too-many` beyond `maxAddresses`
 */
export function linkAddresses(
  given: readonly string[],
):
  | { readonly kind: 'read'; readonly addresses: readonly string[] }
  | { readonly kind: 'wrong'; readonly wrong: readonly string[] }
  | { readonly kind: 'too-many' } {
  if (given.length > 10 * maxAddresses) return { kind: 'too-many' };
  const addresses = new Set<string>();
  const wrong: string[] = [];
  for (const text of given) {
    const address = normaliseMailAddress(/^[^<>]*<([^<>]+)>\s*$/.exec(text)?.[1] ?? text);
    if (address === null) wrong.push(text);
    else addresses.add(address);
  }
  if (wrong.length > 0) return { kind: 'wrong', wrong };
  return addresses.size > maxAddresses ? { kind: 'too-many' } : { kind: 'read', addresses: [...addresses] };
}

export function isClaimCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= maxClaimsAllowed;
}

/** Whether the times are in order, and both ends are still to come. */
export function timesAreSound(times: LinkTimes, now: EpochSeconds): boolean {
  const { claimFromAt, claimUntilAt, accessUntilAt } = times;
  for (const at of [claimFromAt, claimUntilAt, accessUntilAt]) {
    if (at !== null && (!Number.isInteger(at) || at < 0 || at > latestMoment)) return false;
  }
  if (claimUntilAt !== null && (claimUntilAt <= now || (claimFromAt !== null && claimFromAt >= claimUntilAt)))
    return false;
  if (accessUntilAt === null) return true;
  return accessUntilAt > now && (claimFromAt === null || claimFromAt < accessUntilAt);
}
