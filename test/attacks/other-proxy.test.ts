// The suite against a proxy that is not ours: http-proxy on Node's http server, as many services run it. It checks no
// tokens and adds no fields, so only rows count that have to be refused for their form, and only one result of theirs:
// whether something of the attack reached the upstream. A suite that lets this pass would let anything pass.

import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { connect } from 'node:net';
import httpProxy from 'http-proxy';
import { expect, test } from 'vitest';
import { requestRows } from './all-requests.ts';
import type { Making, RequestRow } from './row.ts';
import { render } from './run-row.ts';
import { TapUpstream } from './tap.ts';

const making: Making = { token: () => 'a.b.c', forged: () => 'a.b.c', now: 0 };

/** A plain proxy cannot be expected to refuse a request for a missing credential or route. */
const needsPolicy = new Set<unknown>([401, 403, 404]);
const rows = requestRows.filter(
  (row) =>
    row.upstream === 'nothing' && row.gateway === undefined && row.answers.every((status) => !needsPolicy.has(status)),
);

// http-proxy calls a deprecated function of Node, and the warning is not about this repository.
process.noDeprecation = true;

test('a common proxy forwards dozens of requests that have to be refused', async () => {
  const queue = [...rows];
  const forwarded = (await Promise.all(Array.from({ length: 6 }, () => runSome(queue)))).flat();
  const ideas = forwarded.filter(({ isVariant }) => isVariant !== true).length;
  console.log(
    `attacks: http-proxy forwards ${forwarded.length} of the ${rows.length} rows that latchkey refuses for their form; ` +
      `${ideas} of them are no one-byte variants`,
  );
  expect(ideas).toBeGreaterThan(48);
});

/** Runs rows of the queue against a proxy of its own. @returns those of which something reached the upstream */
async function runSome(queue: RequestRow[]): Promise<RequestRow[]> {
  const tap = await TapUpstream.start();
  const proxy = httpProxy.createProxyServer({ target: tap.url, agent: new Agent() });
  proxy.on('error', (_error, _request, response) => response.destroy());
  const server = createServer((request, response) => proxy.web(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const forwarded: RequestRow[] = [];
  for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
    for (const { socket } of tap.connections.splice(0)) socket.destroy();
    await send(port, render({ ...row, hasTail: false }, making));
    if (tap.connections.some(({ rest, requests }) => requests > 0 || rest.length > 0)) forwarded.push(row);
  }
  server.close();
  server.closeAllConnections();
  await tap.close();
  return forwarded;
}

/** Sends the bytes and FIN, and waits for the end. */
function send(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(bytes, 'latin1'));
    const timer = setTimeout(() => socket.destroy(), 500);
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
