// The peers from npm: what a Node developer forwards requests with.

import { makeNodePeer } from './node-peer.ts';

export const httpProxy = makeNodePeer('http-proxy', 'Node http + http-proxy', 'http-proxy', 'http-proxy.ts');
export const undici = makeNodePeer('undici', 'Node http + undici dispatch', 'undici', 'undici.ts');
export const fastifyProxy = makeNodePeer(
  'fastify-http-proxy',
  '@fastify/http-proxy',
  '@fastify/http-proxy',
  'fastify-http-proxy.ts',
);
