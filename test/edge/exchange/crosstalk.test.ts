// 64 identities at once, each with bytes of its own, over the same few upstream connections: not one byte, name or nonce of
// another's may ever arrive. Fast and slow readers, uploads, pipelined requests, clients that leave in the middle, upstreams
// that reset, stop, end and poison. The long form is `npm run crosstalk`; both are made of test/crosstalk/.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { identities, troublesAt, userOf } from '../../crosstalk/protocol.ts';
import { describeTally, emptyTally, verdictOn } from '../../crosstalk/tally.ts';
import { type CrosstalkUpstream, startCrosstalkUpstreams } from '../../crosstalk/upstream.ts';
import { runVisits } from '../../crosstalk/visits.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const mebibyte = 1024 * 1024;
const pipelining = 4;

let upstreams: CrosstalkUpstream[];
let gateway: TestGateway;

beforeAll(async () => {
  upstreams = await startCrosstalkUpstreams();
});
afterAll(async () => {
  for (const upstream of upstreams) await upstream.close();
});

test.each([
  ['one request at a time to the upstream', 1],
  ['requests pipelined to the upstream', pipelining],
])('not one byte and not one name of another identity arrives: %s', async (_, depth) => {
  const servers = upstreams.map((upstream) => upstream.url);
  gateway = await startGateway({
    config: {
      upstreams: {
        web: { servers, tls: { verify: false }, max_idle_connections: 8, pipelining: depth, ejection: 'off' },
      },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['token'] }],
      logs: { level: 'error', access: 'off', decisions: 'off' },
      // a machine with too much to do is no reason to refuse anything here
      limits: { max_event_loop_delay: '1h' },
    },
  });
  try {
    const tally = emptyTally();
    const tokens = Array.from({ length: identities }, (_, number) => gateway.mint({ sub: userOf(number) }));
    const seed = 1 + (Date.now() % 1_000_000);
    await runVisits({
      port: gateway.port,
      tokens,
      seed,
      clientName: 'test',
      largeOneIn: 100,
      troubleOneIn: 20,
      troubles: troublesAt(depth),
      tally,
      isOver: () => tally.requests >= 4_000,
    });
    expect(verdictOn(tally, depth), `seed ${seed}: ${describeTally(tally)}`).toEqual([]);
    expect(upstreams.map((upstream) => upstream.foreignBytes())).toEqual([0, 0, 0]);
    for (const upstream of upstreams) expect(upstream.requests()).toBeGreaterThan(500);
    // each identity's first body is a large one; some leave in the middle of theirs
    expect(tally.bytes).toBeGreaterThan(identities * mebibyte);
    expect(tally.right).toBeGreaterThan(tally.requests * 0.8);
    for (const count of [tally.left, ...Object.values(tally.faults)]) expect(count).toBeGreaterThan(0);
    // nothing is left over from those who left in the middle
    const busy = async () => (await gateway.scrape()).match(/^latchkey_(connections|upstream_active).*\} [1-9]\d*$/gm);
    await expect.poll(busy).toBeNull();
  } finally {
    await gateway.close();
  }
});
