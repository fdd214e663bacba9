// Hand-overs that somebody else began: where a code may travel. The code is bound to the nonce of whoever began, so whoever
// began and also sees the code of another person is that person. attacks.md: return addresses; tokens.md: Hosts.

import { expect, test } from 'vitest';
import { makePortal, mediaOrigin, portalOrigin } from '../support/portal-rig.ts';

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
    const page = await portal.visitor().get(begun.location ?? '');
    expect(page.headers['content-security-policy']).toContain(`form-action 'self' ${mediaOrigin};`);
    const sent = await victim.get(begun.location ?? '');
    expect(sent.location).toMatch(/^http:\/\/media\.localhost:8080\/\.latchkey\/handover\?code=/);
  },
);

test('what is sent to sign in goes to the portal, whatever Host says', async () => {
  const portal = await makePortal();
  const answer = await portal.visitor().get('/.latchkey/login', { 'x-forwarded-host': 'evil.example' });
  expect([answer.status, answer.location]).toEqual([421, null]);
  const devices = await portal.visitor().get(`${portalOrigin}/.latchkey/devices`);
  expect(devices.location).toMatch(/^\/\.latchkey\/login\?return=/);
});
