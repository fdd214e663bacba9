// A slow reader before a TLS upstream. Node hands over what it has decrypted even after it was told to stop, in the buffer
// that is registered then: the buffer that the client's unsent write still needs must not be that one.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { userOf } from '../../crosstalk/protocol.ts';
import { describeTally, emptyTally, verdictOn } from '../../crosstalk/tally.ts';
import { type CrosstalkUpstream, startCrosstalkUpstream } from '../../crosstalk/upstream.ts';
import { Visitor } from '../../crosstalk/visitor.ts';
import { TestAuthority } from '../../support/rigs/certificates.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const mebibyte = 1024 * 1024;

let upstream: CrosstalkUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startCrosstalkUpstream(new TestAuthority().issue({ names: ['127.0.0.1'] }));
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url], tls: { verify: false } } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['token'] }],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

test.each(['length', 'chunked', 'close'] as const)(
  'slow readers get every byte of a body in order: %s',
  async (act) => {
    const tally = emptyTally();
    const readers = Array.from({ length: 8 }, async (_, number) => {
      const user = userOf(number);
      const visitor = new Visitor({ port: gateway.port, user, token: gateway.mint({ sub: user }), tally });
      const question = { act, size: 8 * mebibyte, upload: null, nonce: `${act}-${number}` };
      await visitor.ask([question], { leaveAfter: Number.POSITIVE_INFINITY, pauseMs: 1 });
      visitor.hangUp();
    });
    await Promise.all(readers);
    expect(verdictOn(tally, 1), describeTally(tally)).toEqual([]);
    expect(tally.right).toBe(8);
  },
);
