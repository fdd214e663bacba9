// A route that names people, from bytes on: who is refused and what they read, and a change of groups that counts at once.
// Every kind of credential: test/core/decision/verifier/allow.test.ts.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { groupsNode } from '../../../gateway/core/model/node-id.ts';
import { MemberRig } from '../../support/rigs/member-rig.ts';

let rig: MemberRig;
beforeAll(async () => {
  rig = await MemberRig.start();
});
afterAll(() => rig.close());

const html = 'Accept: text/html';

test('a route for some groups asks again once the groups changed, says no on a page, and says whom to ask', async () => {
  const staff = rig.cookie('ben', { groups: ['staff'] });
  expect((await rig.ask('GET', '/staff/a', staff)).status).toBe(200);
  await rig.change('revoke', groupsNode('ac_ben'));
  rig.answerSession = async () => ({
    kind: 'renewed',
    token: rig.session('ben', { groups: [] }),
    maxAgeSeconds: 600,
  });
  const refused = await rig.ask('GET', '/staff/a', staff, html);
  expect([refused.status, rig.renewals.length]).toEqual([403, 1]);
  expect(refused.text).toContain('This is for some people only');
  expect(refused.text).toContain('<a href="mailto:help@example.org">help@example.org</a>');
  expect((await rig.ask('GET', '/club/a', staff)).status).toBe(200);
  const token = rig.gateway.mint({ paths: ['/*'], email: 'ben@example.org' });
  expect((await rig.ask('GET', `/staff/a?token=${token}`)).text).toContain('open to some people only');
  expect(rig.upstream.requests).toHaveLength(2);
});
