// A start with a changed configuration: the access that the change ends is ended before any request is served, and the start waits for no edge.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeServeRig, type ServeRig } from '../support/rigs/serve-rig.ts';

let rig: ServeRig;

beforeEach(async () => {
  rig = await makeServeRig((_request, response) => response.end('content'));
});

afterEach(() => rig.clear());

function withOwner(owner: string): void {
  rig.configure({
    edges: 1,
    more: `
portal: { public_url: "http://portal.localhost:8080" }
collections: [{ name: summer, host: media.localhost, path: /vod/, owners: [${owner}] }]`,
  });
}

test('serve starts after the owners of a collection changed while the gateway did not run', async () => {
  withOwner('ann@example.org');
  const first = await rig.startReady();
  first.child.kill('SIGTERM');
  await first.ended;
  withOwner('ben@example.org');
  const second = await rig.startReady();
  expect((await fetch(`http://127.0.0.1:${second.port}/`)).status).toBe(200);
});
