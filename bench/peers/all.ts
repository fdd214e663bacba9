// The proxies that a run compares, in the order of the table.

import { caddy } from './caddy.ts';
import { haproxy, haproxyJwt } from './haproxy.ts';
import { latchkey, latchkeyPipelining } from './latchkey.ts';
import { nginx, nginxLargeBuffer } from './nginx.ts';
import { nginxSecureLink } from './nginx-secure-link.ts';
import { fastifyProxy, httpProxy, undici } from './node-packages.ts';
import type { Peer } from './peer.ts';
import { trafficServer, trafficServerSigned } from './traffic-server.ts';

/** All proxies; `--only` chooses among them. */
export const allPeers: readonly Peer[] = [
  latchkey,
  latchkeyPipelining,
  nginxSecureLink,
  nginx,
  nginxLargeBuffer,
  haproxyJwt,
  haproxy,
  trafficServerSigned,
  trafficServer,
  caddy,
  httpProxy,
  undici,
  fastifyProxy,
];
