// Names that the demo's gateway, its sites and its printed text agree on, and the hosts that `--host` makes of one name or address.

import { isIP, isIPv4 } from 'node:net';

export const demoNames = {
  user: 'alice',
  issuer: 'latchkey',
  /** The folder that its owner hands out links to. */
  collection: 'summer',
  collectionPath: '/vod/summer/',
  /** Path of the web site's part that is open to every account that is signed in. */
  signedInPath: '/signed-in/',
  webUpstream: 'web',
  jwksPath: '/.latchkey/jwks.json',
  signOutPath: '/.latchkey/logout',
} as const;

/** Where the demo is: the names of its four hosts, and what it listens on. */
export interface DemoHosts {
  readonly media: string;
  readonly app: string;
  readonly notes: string;
  readonly portal: string;
  /** Host part of the listener's address; empty for every address of this machine. */
  readonly listen: string;
  /** Address by which this machine reaches the listener. */
  readonly reach: string;
  /** The address that other machines have to be told for the four names; null where names lead here by themselves. */
  readonly address: string | null;
  /** Whether other machines can reach it. */
  readonly isOpen: boolean;
}

/** Names on this machine: browsers lead every name below `localhost` to loopback (RFC 6761 §6.3). */
export const loopbackHosts: DemoHosts = {
  ...hostsBelow('localhost'),
  listen: '127.0.0.1',
  reach: '127.0.0.1',
  address: null,
  isOpen: false,
};

/**
 * Hosts for other machines. A name stands for itself and has to lead here with everything below it. An address has no names
 * below it, and one host cannot be four, so the names are made up below `latchkey.test`, which is nobody's (RFC 6761 §6.2).
 *
 * @param text  what `--host` says
 * @returns null for what is neither a name nor an address that others can use
 */
export function readDemoHosts(text: string): DemoHosts | null {
  const bare = text.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost') return loopbackHosts;
  if (isIP(bare) !== 0) {
    if (/^[0.:]*$/.test(bare)) return null;
    const listen = isIPv4(bare) ? bare : `[${bare}]`;
    const isOpen = !bare.startsWith('127.') && bare !== '::1';
    return { ...hostsBelow('latchkey.test'), listen, reach: bare, address: bare, isOpen };
  }
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  if (bare.length > 240 || !new RegExp(`^${label}(\\.${label})*$`).test(bare) || /^[\d.]+$/.test(bare)) return null;
  const isOpen = !bare.endsWith('.localhost');
  return { ...hostsBelow(bare), listen: isOpen ? '' : '127.0.0.1', reach: '127.0.0.1', address: null, isOpen };
}

function hostsBelow(base: string): Pick<DemoHosts, 'media' | 'app' | 'notes' | 'portal'> {
  return { media: `media.${base}`, app: `app.${base}`, notes: `notes.${base}`, portal: `portal.${base}` };
}
