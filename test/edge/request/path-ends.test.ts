// What operators write beside each other: pages and folders with rules of their own, inside others. What slips past a stricter
// route by its end is in test/attacks/rows/path-ends.ts; here is what has to go on working.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const route = (path: string, accept: 'token' | 'anyone', rest: object = {}) => ({
    name: path.replaceAll('/', '-'),
    path,
    upstream: 'web',
    accept: [accept],
    ...rest,
  });
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        route('/', 'token'),
        route('/health', 'anyone'),
        route('/favicon.ico', 'anyone'),
        route('/hook', 'anyone', { methods: ['POST'] }),
        route('/public/', 'anyone'),
        route('/api', 'token', { methods: ['POST'] }),
        route('/api/', 'token'),
        route('/login', 'token', { rate_limit: { by: 'address', rate: '100/s' } }),
        route('/login/', 'token'),
        route('/busy/', 'token', { rate_limit: { by: 'address', rate: '100/s' } }),
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

test.each([
  // open pages of a closed site
  ['GET', '/health', 200],
  ['GET', '/health?full=1', 200],
  ['GET', '/favicon.ico', 200],
  ['POST', '/hook', 200],
  ['GET', '/hook', 405],
  // behind them nothing is open
  ['GET', '/health/', 401],
  // where it could be asked more than the page may: GET
  ['POST', '/hook/', 400],
  ['GET', '/favicon.ico/x', 401],
  // an open folder of a closed site
  ['GET', '/public/', 200],
  ['GET', '/public', 308],
  // a name that was written both ways has its own methods and rates at each end
  ['POST', '/api', 401],
  ['GET', '/api', 405],
  ['GET', '/api/', 401],
  ['POST', '/api/', 401],
  ['GET', '/login/', 401],
  // past the limits of a folder nobody comes by its bare name
  ['GET', '/busy', 308],
  ['POST', '/busy', 400],
] as const)('%s %s is %i', async (method, target, status) => {
  expect((await askRaw(gateway.port, requestText(method, target))).status).toBe(status);
});
