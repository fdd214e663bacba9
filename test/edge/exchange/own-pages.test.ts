// Requests that wait at latchkey's own pages: a network that makes many of them wait keeps no other network out.

import Fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { MemberRig } from '../../support/rigs/member-rig.ts';

let rig: MemberRig;
const clients: RawClient[] = [];
/** Requests that came in at the pages and wait there. */
let waiting = 0;
const gate = Promise.withResolvers<void>();

beforeAll(async () => {
  rig = await MemberRig.start({
    config: { trusted_proxies: ['127.0.0.1'] },
    visitors: () => {
      const server = Fastify({ logger: false });
      server.post('/.latchkey/login', async () => {
        waiting += 1;
        await gate.promise;
        return 'signed in';
      });
      server.get('/.latchkey/login', async () => 'a page');
      return server;
    },
  });
});

afterAll(async () => {
  gate.resolve();
  for (const client of clients) client.destroy();
  await rig?.close();
});

async function signIn(address: string): Promise<RawClient> {
  const client = await RawClient.connect(rig.gateway.port);
  clients.push(client);
  const fields = [`X-Forwarded-For: ${address}`, 'Content-Type: application/json', 'Content-Length: 2'];
  client.write(`${requestText('POST', '/.latchkey/login', fields)}{}`);
  return client;
}

test('one network holds half of the connections to the pages, and is told at once; the others go on', async () => {
  for (let at = 0; at < 80; at++) await signIn(`2001:db8::${at.toString(16)}`);
  await expect.poll(() => waiting).toBe(80);
  const refused = await (await signIn('2001:db8::ffff')).read();
  expect([refused.status, refused.header('Retry-After')]).toEqual([429, '1']);
  const page = await rig.ask('GET', '/.latchkey/login', 'X-Forwarded-For: 2001:db8:0:1::1');
  expect(page.status).toBe(200);
  gate.resolve();
  await expect
    .poll(async () => (await rig.ask('GET', '/.latchkey/login', 'X-Forwarded-For: 2001:db8::1')).status)
    .toBe(200);
});
