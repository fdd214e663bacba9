// A pass of one account beside the session of another. No prefix keeps a sibling of the host from setting a pass, and "open on
// another device" gives one on purpose: the session comes first, and the pass counts where the session opens nothing.

import { afterAll, beforeEach, expect, test } from 'vitest';
import { MemberRig, passOf } from '../../support/rigs/member-rig.ts';

const rig = await MemberRig.start();
beforeEach(() => rig.reset());
afterAll(() => rig.close());

test('attack: a pass of another account, set by a sibling of the host, makes nobody else of who is signed in', async () => {
  const planted = passOf(await rig.ask('GET', '/vod/summer/a', rig.cookie()));
  rig.answerAccess = async ({ account }) => {
    const answer = rig.granted();
    return answer.kind === 'granted' ? { ...answer, claims: { sub: account } } : answer;
  };
  const cookies = `${rig.cookie('ben')}; ${Array(4).fill(`latchkey_pass=${planted}`).join('; ')}`;
  expect((await rig.ask('GET', '/vod/summer/a', cookies)).status).toBe(200);
  expect(rig.upstream.last.fields).toContain('X-Forwarded-User: ac_ben');
});

test('a pass of another account counts where the session opens nothing: it was given on another device', async () => {
  const given = `latchkey_pass=${passOf(await rig.ask('GET', '/vod/summer/a', rig.cookie()))}`;
  expect((await rig.ask('GET', '/vod/summer/a', `${rig.cookie('ben')}; ${given}`)).status).toBe(200);
  expect(rig.upstream.last.fields).toContain('X-Forwarded-User: ac_anna');
  rig.answerAccess = () => Promise.reject(new Error('out of order'));
  expect((await rig.ask('GET', '/vod/summer/b', `${rig.cookie('cleo')}; ${given}`)).status).toBe(200);
  expect(rig.upstream.last.fields).toContain('X-Forwarded-User: ac_anna');
});
