// Says in words why an address could not be listened on, and where the address stands in the configuration file.
// The codes are those of the system and of name resolution; an unknown code is shown as it is.

import type { Config, ListenAddress } from '../../config/compiled/config.ts';

/** `listeners[0].address: 127.0.0.1:8080 is in use (stop the other program or choose another port)`. */
export function describeListenProblem(config: Config, at: string, code: string): string {
  const address = [...config.listeners, config.operations].find((candidate) => candidate.at === at);
  return `${at}: ${address === undefined ? 'the address' : addressText(address)} ${reasonText(code)}`;
}

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function addressText(address: Pick<ListenAddress, 'host' | 'port'>): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function reasonText(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'is in use (stop the other program or choose another port)';
    case 'EACCES':
      return 'may not be used by this account (choose a port from 1024 upward or grant CAP_NET_BIND_SERVICE)';
    case 'EADDRNOTAVAIL':
      return 'is no address of this machine (see: ip address)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'has a name that is not known here (use an IP address)';
    default:
      return `cannot be listened on: ${code}`;
  }
}
