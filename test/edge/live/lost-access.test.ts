// The page of a resource to somebody whose access to it has ended. gateway/RULES.md "Status".

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MemberRig } from '../../support/rigs/member-rig.ts';

let rig: MemberRig;
beforeAll(async () => {
  rig = await MemberRig.start({ users: {} });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const html = 'Accept: text/html';

test('an account that had access reads by whom and when it ended, whatever stands in the names', async () => {
  const lost = {
    how: 'removed',
    label: '<b>Ferien</b> & Meer',
    by: 'J\u00fcrgen "J" \u{1F3D6}',
    at: 1_796_085_000,
  } as const;
  rig.answerAccess = async ({ account }) => ({ ...rig.none(account), lost });
  const answer = await rig.ask('GET', '/vod/summer/a', rig.cookie('ben'), html);
  expect(answer.status).toBe(403);
  expect(answer.text).toContain(
    'J&#252;rgen &#34;J&#34; &#127958; ended your access to <b>&#60;b&#62;Ferien&#60;/b&#62; &#38; Meer</b> on <time',
  );
  expect(answer.text).toContain('1 Dec 2026, 00:30 UTC');
  expect(answer.text).not.toContain('nobody has shared');
  expect(Number(answer.header('Content-Length'))).toBe(Buffer.byteLength(answer.text));
  // a program is told no name
  const problem = await rig.ask('GET', '/vod/summer/a', rig.cookie('ben'));
  expect(problem.text).toContain('The access that this account had here has ended.');
  expect(problem.text).not.toContain('rgen');
  expect(rig.questions).toHaveLength(1);
});
