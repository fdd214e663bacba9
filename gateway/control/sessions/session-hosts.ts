// On which hosts people may be signed in: the portal's, those that a route or a collection names letter by letter, and those of
// `portal.hosts`. A wildcard route does not count: an attacker who gets hold of a name below it, by a DNS record that was left behind,
// would be sent the one-time codes of hand-overs that the attacker began, and be signed in as the person who was lured there.
// This file does not decide who may sign in. It is asked where a hand-over begins, where its code is made, and at each renewal of a session.

import type { Config } from '../../config/compiled/config.ts';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { matchesHost } from '../../core/model/host-pattern.ts';

/** Host of the portal, canonical; null without a portal. */
export function portalHost(config: Config): string | null {
  return config.portal === null ? null : canonicalHost(new URL(config.portal.publicUrl).host);
}

/** @param host  canonical, without port */
export function takesSignIns(config: Config, host: string): boolean {
  if (config.portal === null || host === '') return false;
  return (
    host === portalHost(config) ||
    config.portal.hosts.some((name) => matchesHost(name, host)) ||
    config.routes.some((route) => route.host === host) ||
    config.collections.some((collection) => collection.host === host)
  );
}
