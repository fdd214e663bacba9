// Whom a route lets in, beside which credentials it takes: groups, accounts and mail domains, any one of which is enough.
// Pure. A token says who its holder is by its claims, so nothing is asked while a request waits. Claims without an address and without a
// group match nothing, so a route with such a rule refuses them. Rules: gateway/RULES.md "Whom a route lets in".

import { anyMatchesHost, compileHostPatterns, type HostPatterns } from '../../model/host-pattern.ts';
import { domainOf, normaliseMailAddress } from '../../model/mail-address.ts';
import type { TokenClaims } from '../../token/claims.ts';

/** `allow` of a route, as the configuration says it. At least one list has an entry. */
export interface WhoRule {
  readonly groups: readonly string[];
  /** Mail addresses in their normal form. */
  readonly accounts: readonly string[];
  /** Domains in ASCII: `example.org` for exactly this domain, `*.example.org` for every domain below it. */
  readonly domains: readonly string[];
}

/** A compiled rule. */
export interface WhoPolicy {
  readonly groups: ReadonlySet<string>;
  readonly accounts: ReadonlySet<string>;
  readonly domains: HostPatterns;
}

/** @returns null where there is no rule, so that everybody whose credential the route takes is let in */
export function compileWho(rule: WhoRule | null): WhoPolicy | null {
  if (rule === null) return null;
  return {
    groups: new Set(rule.groups),
    accounts: new Set(rule.accounts),
    domains: compileHostPatterns(rule.domains),
  };
}

/** Whether the rule names the holder of these claims, by a group, an address or a domain. */
export function isAmong(
  { groups, accounts, domains }: WhoPolicy,
  claims: Pick<TokenClaims, 'email' | 'groups'>,
): boolean {
  if (claims.groups?.some((group) => groups.has(group)) === true) return true;
  if (claims.email === undefined) return false;
  // accounts have the normal form already; another holder of the common key may write an address in another form
  const address = accounts.has(claims.email) ? claims.email : normaliseMailAddress(claims.email);
  if (address === null) return false;
  return accounts.has(address) || anyMatchesHost(domains, domainOf(address));
}

/** Whether one rule lets in nobody whom the other one refuses, as far as the rules themselves show it. */
export function isNoWider(rule: WhoPolicy | null, other: WhoPolicy | null): boolean {
  if (other === null) return true;
  if (rule === null) return false;
  return (
    [...rule.groups].every((group) => other.groups.has(group)) &&
    [...rule.accounts].every(
      (account) => other.accounts.has(account) || anyMatchesHost(other.domains, domainOf(account)),
    ) &&
    rule.domains.exact.every((domain) => anyMatchesHost(other.domains, domain)) &&
    rule.domains.suffixes.every((suffix) => other.domains.suffixes.includes(suffix))
  );
}
