// Hand-overs that an attacker began: where a code may travel. The code is bound to the nonce of the browser that began, so an attacker who
// began and also sees another person's code could sign in as that person. gateway/RULES.md "Sessions, links and guessing", "Hosts".

import { expect, test } from 'vitest';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { makePortal, portalOrigin } from '../../support/rigs/portal-rig.ts';

test.each([
  'http://media.localhost:6666',
  'https://media.localhost:8080',
  'http://media.localhost',
  'http://MEDIA.localhost.:8080',
])(
  'a hand-over that was begun with Host and scheme of %s sends its code to no other port and no other scheme',
  async (begunAt) => {
    const portal = await makePortal();
    await portal.addAccount('ann@example.org');
    const attacker = portal.visitor();
    const begun = await attacker.get(`${begunAt}/.latchkey/login?return=%2F`, {
      'x-forwarded-host': begunAt.slice(begunAt.indexOf('//') + 2),
    });
    expect(begun.location).toMatch(/^http:\/\/portal\.localhost:8080\/\.latchkey\/login\?handover=/);
    const victim = portal.visitor();
    await victim.signIn('ann@example.org');
    const sent = await victim.get(begun.location ?? '');
    expect(sent.location).toMatch(/^http:\/\/media\.localhost:8080\/\.latchkey\/handover\?code=/);
  },
);

test('a name below a wildcard, whose DNS an attacker may hold, gets no sign-in unless the name is listed', async () => {
  const portal = await makePortal();
  const listing = (hosts: readonly string[]) =>
    portal.configure((config) => ({
      ...config,
      routes: config.routes.map((route) => ({ ...route, host: '*.apps.localhost' })),
      portal: config.portal === null ? null : { ...config.portal, hosts },
    }));
  listing([]);
  await portal.addAccount('ann@example.org');
  const ann = portal.visitor();
  await ann.signIn('ann@example.org');
  const attacker = portal.visitor();
  const wanted = 'http://old.apps.localhost:8080/.latchkey/login?return=%2F';
  const refused = await attacker.get(wanted);
  expect([refused.status, refused.location]).toEqual([403, null]);
  expect(refused.text).toContain('name old.apps.localhost in portal.hosts');
  expect(pageProblems(refused.text)).toEqual([]);

  // an operator who lists it, or all below, has it; taken out again, what was begun meanwhile and what came of it are over
  for (const listed of ['old.apps.localhost', '*.apps.localhost']) {
    listing([listed]);
    const begun = await attacker.get(wanted);
    const sent = await ann.get(begun.location ?? '');
    expect(sent.location).toMatch(/^http:\/\/old\.apps\.localhost:8080\/\.latchkey\/handover\?code=/);
    listing(['new.apps.localhost']);
    expect((await ann.get(begun.location ?? '')).status).toBe(410);
    expect((await attacker.get(sent.location ?? '')).status).toBe(410);
    expect(attacker.cookies.get('old.apps.localhost')?.has('latchkey')).toBe(false);
  }
});

test('a visitor who has to sign in is sent to the portal, whatever Host says', async () => {
  const portal = await makePortal();
  const answer = await portal.visitor().get('/.latchkey/login', { 'x-forwarded-host': 'evil.example' });
  expect([answer.status, answer.location]).toEqual([421, null]);
  const devices = await portal.visitor().get(`${portalOrigin}/.latchkey/devices`);
  expect(devices.location).toMatch(/^\/\.latchkey\/login\?return=/);
});
