// An edge that does not act on a revocation in time is ended, and only then is the revocation answered.
// Real processes: a stopped edge still has its listener, and may be woken at any time to serve with what it knew.

import { join } from 'node:path';
import { Client } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminSocketIn } from '../../gateway/store/data-folder.ts';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { isAlive, makeServeRig, type ServeRig } from '../support/serve-rig.ts';

let rig: ServeRig;
beforeAll(async () => {
  rig = await makeServeRig((_request, response) => response.end('ok'));
});
afterAll(() => rig?.clear());

test('a stopped edge is killed and replaced, and the answer comes after its end', async () => {
  const serve = await rig.startReady();
  const socketPath = adminSocketIn(join(rig.folder, 'data'));
  const admin = new Client('http://localhost', { socketPath });
  const ask = async (method: 'POST' | 'PATCH', path: string, body: object) => {
    const answer = await admin.request({
      method,
      path: `/v1/${path}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${answer.statusCode} ${text}`);
    return text;
  };
  try {
    const { account: id } = JSON.parse(await ask('POST', 'accounts', { email: 'ann@example.org', invited: false })) as {
      account: string;
    };
    const [, stopped = -1] = serve.pids('edge');
    process.kill(stopped, 'SIGSTOP');
    const before = monotonicMs();
    const isAliveAtAnswer = ask('PATCH', `accounts/${id}`, { state: 'disabled' }).then(() => isAlive(stopped));
    expect(await isAliveAtAnswer).toBe(false);
    // nobody is ended before its time
    expect(monotonicMs() - before).toBeGreaterThan(240);
    await expect.poll(() => serve.pids('edge').length).toBe(3);
    expect(serve.log()).toContainEqual(
      expect.objectContaining({ role: 'control', msg: 'an edge did not act on a revocation in time and is ended' }),
    );
    // nobody waits for the one that is gone
    await ask('PATCH', `accounts/${id}`, { state: 'active' });
  } finally {
    await admin.destroy();
  }
});
