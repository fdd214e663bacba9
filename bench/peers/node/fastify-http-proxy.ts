// A peer's process: fastify with @fastify/http-proxy at its defaults, logger off.

import proxy from '@fastify/http-proxy';
import Fastify from 'fastify';

const server = Fastify({ logger: false });
await server.register(proxy, { upstream: `http://127.0.0.1:${process.argv[2]}` });
await server.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${JSON.stringify(server.server.address())}\n`);
