// The URLs of a link: the tokenized URL, which is a secret, and the clean URL, which members come back to.
// Scheme and port are the portal's, because visitors reach all hosts through the same listeners.

import type { Config } from '../../config/compiled/config.ts';

/** Scheme, host and port of a public host, without a slash at its end. */
export function publicOrigin(config: Config, host: string): string {
  if (config.portal === null) return `https://${host}`;
  const portal = new URL(config.portal.publicUrl);
  return `${portal.protocol}//${host}${portal.port === '' ? '' : `:${portal.port}`}`;
}

/** `https://host/path`, where members come back to. @param path  canonical */
export function cleanUrl(config: Config, host: string, path: string): string {
  return `${publicOrigin(config, host)}${path}`;
}

/**
 * `https://host/path?key=<link key id>&authtoken=<link id>.<secret>`. A secret: shown to who may manage the link, and kept as a digest and a seal.
 *
 * @param token  as `formatLinkToken` gives it
 */
export function tokenizedUrl(config: Config, host: string, path: string, linkKeyId: string, token: string): string {
  const { keyParameter, tokenParameter } = config.links;
  return `${cleanUrl(config, host, path)}?${keyParameter}=${linkKeyId}&${tokenParameter}=${token}`;
}
