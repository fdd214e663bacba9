// The peers from npm: packages by which Node.js programs forward requests. None of them checks a credential.

import { makeNodePeer } from './node-peer.ts';

export const httpProxy = makeNodePeer('http-proxy', 'Node http + http-proxy', 'http-proxy', 'http-proxy.ts');
export const undici = makeNodePeer('undici', 'Node http + undici dispatch', 'undici', 'undici.ts');
export const fastifyProxy = makeNodePeer(
  'fastify-http-proxy',
  '@fastify/http-proxy',
  '@fastify/http-proxy',
  'fastify-http-proxy.ts',
);
