// Guesses at the users file of a whole gateway are counted by /64, also after its control was killed with -9.

import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { addUser } from '../../gateway/store/files/users.ts';
import { makeServeRig } from '../support/rigs/serve-rig.ts';

const wait = { interval: 50, timeout: 20_000 };

test('Basic guesses from many addresses of one /64 count as one client’s, also after control died', async () => {
  const rig = await makeServeRig((_request, response) => response.end('from the upstream'));
  onTestFinished(() => rig.clear());
  await addUser(join(rig.folder, 'users'), 'alice', 'right');
  writeFileSync(
    rig.file,
    `
listeners: [{ address: 127.0.0.1:0 }]
operations: { address: 127.0.0.1:0 }
data_dir: ./data
edges: 1
users_file: ./users
trusted_proxies: [127.0.0.1]
password_checks_per_second: 1000
# whatever else the machine does meanwhile
limits: { max_event_loop_delay: 1d }
upstreams: { web: { servers: ["http://127.0.0.1:${rig.upstreamPort}"] } }
routes: [{ name: vod, path: /, upstream: web, accept: [password] }]
`,
  );
  const gateway = await rig.startReady();
  const guess = (password: string, from: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`,
        'x-forwarded-for': from,
      };
      get({ host: '127.0.0.1', port: gateway.port, path: '/', headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', reject);
    });
  const codes: number[] = [];
  for (let at = 0; at < 40; at++) codes.push(await guess(`wrong ${at}`, `2001:db8::${at + 1}`));
  // five are free; a wait that is over by the time of a later one lets one more through
  expect(codes.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
  expect(codes.filter((code) => code === 401).length).toBeLessThan(12);
  expect(new Set(codes.slice(5))).toContain(429);
  expect(await guess('right', '2001:db8:0:1::1')).toBe(200);

  const before = gateway.pids('control');
  process.kill(before.at(-1) ?? 0, 'SIGKILL');
  await expect.poll(() => gateway.pids('control').length, wait).toBe(before.length + 1);
  // the first one that is looked at is the only one: no try came back
  await expect.poll(() => guess('still wrong', '2001:db8::99'), wait).toBe(401);
  expect(await guess('wrong again', '2001:db8::98')).toBe(429);
  expect(await guess('right', '2001:db8:0:1::1')).toBe(200);
});
