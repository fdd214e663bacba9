// What counts as one client when requests are counted by source; the two widths and their reasons are core/token/client-network.ts.

import { clientNetworks } from '../../core/token/client-network.ts';

/** @param address  as a socket or the edge reports it. @returns a text that is equal for one client; `unknown` for no address */
export function addressBlock(address: string): string {
  return clientNetworks(address).source;
}
