// "Where I am signed in": browsers of one account can be told apart, and nobody's whole address is kept for that.

import { expect, test } from 'vitest';
import { makePortal } from '../../support/rigs/portal-rig.ts';

const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

test('each browser says its name, which one this is, from where it signed in and by which link it came first', async () => {
  const portal = await makePortal();
  portal.configure((config) => ({
    ...config,
    routes: config.routes.map((route) => ({ ...route, host: 'media.localhost', path: '/vod/' })),
  }));
  await portal.addAccount('owner@example.org');
  await portal.addAccount('ann@example.org');
  const owner = portal.visitor();
  await owner.signIn('owner@example.org');
  const laptop = portal.visitor({ address: '192.0.2.77', headers: { 'user-agent': firefox } });
  const phone = portal.visitor({ address: '2001:db8:1:2::7' });
  await laptop.signIn('ann@example.org');
  await phone.signIn('ann@example.org');
  for (const label of ['Deep <i>sea</i>', 'Garden']) {
    const made = await owner.json('POST', '/.latchkey/v1/links', {
      collection: 'summer',
      path: `/vod/summer/${label.length}/`,
      label,
    });
    const question = await laptop.follow(await laptop.get(JSON.parse(made.text).url, direct));
    await laptop.follow(await laptop.submit(question, '/claim'));
    portal.clock.now += 10;
  }
  const page = (await laptop.get('/.latchkey/devices')).text;
  expect(page).toContain('Firefox on Linux <span class="tag good">this one</span>');
  expect(page).toContain(', for “Deep &lt;i&gt;sea&lt;/i&gt;”</dd><dt>Signed in from</dt><dd>192.0.2.…</dd>');
  expect(page).toContain('<dt>Signed in from</dt><dd>2001:db8:1:…</dd>');
  const { devices } = JSON.parse((await laptop.json('GET', '/.latchkey/v1/devices')).text);
  expect(devices).toHaveLength(2);
  expect(devices).toContainEqual(
    expect.objectContaining({ network: '192.0.2.0/24', first_link: 'Deep <i>sea</i>', is_current: true }),
  );
  expect(devices).toContainEqual(expect.objectContaining({ network: '2001:db8:1::/48', first_link: null }));
  const kept = JSON.stringify(await portal.store.sql.selectFrom('devices').selectAll().execute());
  expect(kept).not.toMatch(/192\.0\.2\.77|2001:db8:1:2/);
  const exported = JSON.parse((await laptop.json('GET', '/.latchkey/v1/me/export')).text);
  expect(exported.devices).toContainEqual(expect.objectContaining({ last_network: '192.0.2.0/24' }));

  // a code for another device says who asks and what opens, as often as somebody looks, and opens once
  const offer = await laptop.json('POST', '/.latchkey/v1/access/open-elsewhere', {
    url: 'http://media.localhost:8080/vod/summer/6/',
  });
  const television = portal.visitor({ address: '198.51.100.9' });
  const asked = await television.get(JSON.parse(offer.text).url);
  expect(asked.text).toContain('ann@example.org wants to open this here.');
  expect(asked.text).toContain('<dd>media.localhost/vod/summer/6/</dd>');
  expect(asked.text).toMatch(
    /<dt>Asked<\/dt><dd><time[^>]*>just now<\/time>, with Firefox on Linux, signed in from 192\.0\.2\.…<\/dd>/,
  );
  expect((await television.get(JSON.parse(offer.text).url)).status).toBe(200);
  expect((await television.submit(asked, '/open')).location).toContain('/vod/summer/6/');
  expect((await television.get(JSON.parse(offer.text).url)).text).toContain('That code does not work.');
  // looking for codes is guessing
  const guesser = portal.visitor({ address: '203.0.113.5' });
  const statuses: number[] = [];
  for (let each = 0; each < 12; each++) {
    statuses.push(
      (await guesser.get(`http://media.localhost:8080/.latchkey/open?code=AAAAAAA${'ABCDEFGHJKLM'[each]}`)).status,
    );
  }
  expect(statuses.slice(0, 10)).toEqual(Array(10).fill(422));
  expect(statuses.at(-1)).toBe(429);

  // the next sign-in of the same browser from elsewhere is the same browser, and says so
  const ended = await laptop.submit(await laptop.get('/.latchkey/devices'), '/end');
  expect((await laptop.follow(ended)).text).toContain('That browser is signed out.');
});
