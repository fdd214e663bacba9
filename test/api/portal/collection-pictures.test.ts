// Title and picture of a collection: where people see them, and which files are pictures.

import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { qrPng } from '../../../gateway/api/look/qr-code.ts';
import { makePortal, mediaOrigin } from '../../support/rigs/portal-rig.ts';

const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const path = '/.latchkey/pictures/summer';

test('a collection has its title and picture in lists, on the form for a new link and on the question', async () => {
  const portal = await makePortal();
  const pictureFile = join(tmpdir(), `lk-picture-${process.pid}`);
  onTestFinished(() => rmSync(pictureFile, { force: true }));
  portal.configure((config) => ({
    ...config,
    routes: config.routes.map((route) => ({ ...route, host: 'media.localhost', path: '/vod/' })),
    collections: config.collections.map((one) => ({ ...one, title: 'Films of the <summer>', pictureFile })),
  }));
  await portal.addAccount('owner@example.org');
  await portal.addAccount('ann@example.org');
  const [owner, ann] = [portal.visitor(), portal.visitor()];
  await owner.signIn('owner@example.org');
  await ann.signIn('ann@example.org');
  expect((await owner.get('/.latchkey/links/new')).text).toContain(
    'It opens <strong>Films of the &lt;summer&gt;</strong>',
  );
  const made = await owner.json('POST', '/.latchkey/v1/links', { collection: 'summer', label: 'Deep sea' });
  const question = await ann.follow(await ann.get(JSON.parse(made.text).url, direct));
  const picture = `<img class="picture" src="${path}" alt=""`;
  expect(question.text).toContain(picture);
  await ann.follow(await ann.submit(question, '/claim'));
  expect((await ann.get('/.latchkey/')).text).toContain(picture);
  const mine = (await owner.get('/.latchkey/links')).text;
  expect(mine).toContain(picture);
  expect(mine).toContain('Films of the &lt;summer&gt;</a>');

  // the file is read anew each time, and its first bytes say what it is
  const fetched = async () => {
    const { status, headers } = await portal.visitor().get(`${mediaOrigin}${path}`);
    return [status, status === 200 ? headers['content-type'] : ''];
  };
  expect(await fetched()).toEqual([404, '']);
  for (const [bytes, type] of [
    [await qrPng('x'), 'image/png'],
    [Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'image/jpeg'],
    [Buffer.from('RIFF\0\0\0\0WEBPVP8 '), 'image/webp'],
    [Buffer.from('<?xml version="1.0"?><svg/>'), 'image/svg+xml'],
  ] as const) {
    writeFileSync(pictureFile, bytes);
    expect(await fetched()).toEqual([200, type]);
  }
  for (const bytes of [Buffer.from('<html>'), Buffer.from('secret'), Buffer.alloc(1024 * 1024 + 1, '<svg>')]) {
    writeFileSync(pictureFile, bytes);
    expect(await fetched()).toEqual([404, '']);
  }
  writeFileSync(pictureFile, '<svg/>');
  const { headers } = await portal.visitor().get(path);
  expect(headers['content-security-policy']).toBe("default-src 'none'; style-src 'unsafe-inline'; sandbox");
  expect((await portal.visitor().get('/.latchkey/pictures/other')).status).toBe(404);
});
