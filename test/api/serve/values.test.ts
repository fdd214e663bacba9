// The small pieces that pages are made of: escaping, return addresses, sealed texts, origins, the logo.

import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { html } from '../../../gateway/api/look/html.ts';
import { qrPng } from '../../../gateway/api/look/qr-code.ts';
import { returnPathOf, soundReturnPath } from '../../../gateway/api/serve/return-address.ts';
import { openText, sealText } from '../../../gateway/api/serve/sealed-text.ts';
import { makePortal } from '../../support/rigs/portal-rig.ts';

test('a text in a page is never a tag or the end of an attribute, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...`<>"'&a =/;#`) }), (text) => {
      expect(html`<p title="${text}">${text}</p>`.toString()).toMatch(/^<p title="[^"<>]*">[^"<>']*<\/p>$/);
    }),
  );
  expect(html`${[html`<b>${'<'}</b>`, null, false, 0]}`.toString()).toBe('<b>&lt;</b>0');
});

test('a return address stays on this origin when a browser reads it, whatever was asked for', () => {
  const base = 'https://portal.example.org';
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...`/\\.:@?#%09af \t\r\n`), maxLength: 12 }), (tail) => {
      for (const text of [tail, `/${tail}`, `//${tail}`, `/\\${tail}`, `https:${tail}`]) {
        const path = returnPathOf(text);
        expect(new URL(path, base).origin).toBe(base);
        expect(soundReturnPath(path)).toBe(path);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a sealed text opens only for its purpose and its owner, until it expires', async () => {
  const { context, clock } = await makePortal();
  const sealed = sealText(context, { use: 'flow', binding: 'a.example' }, { n: 1 }, 600);
  const shape = z.object({ n: z.int() });
  expect(openText(context, { use: 'flow', binding: 'a.example' }, sealed, shape)).toEqual({ n: 1 });
  expect(openText(context, { use: 'form', binding: 'a.example' }, sealed, shape)).toBeNull();
  expect(openText(context, { use: 'flow', binding: 'b.example' }, sealed, shape)).toBeNull();
  expect(openText(context, { use: 'flow', binding: 'a.example' }, sealed, z.string())).toBeNull();
  expect(openText(context, { use: 'flow', binding: 'a.example' }, `${sealed}A`, shape)).toBeNull();
  for (const bad of [null, undefined, '', 'x', 's1.', 'a'.repeat(5000)]) {
    expect(openText(context, { use: 'flow', binding: 'a.example' }, bad, shape)).toBeNull();
  }
  clock.now += 600;
  expect(openText(context, { use: 'flow', binding: 'a.example' }, sealed, shape)).toBeNull();
});

test('the logo of the configuration is shown, and an SVG of it runs nothing', async () => {
  const portal = await makePortal();
  const visitor = portal.visitor();
  expect((await visitor.get('/.latchkey/logo')).status).toBe(404);
  const logoFile = join(tmpdir(), `lk-logo-${process.pid}.svg`);
  onTestFinished(() => rmSync(logoFile, { force: true }));
  writeFileSync(logoFile, '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  portal.configure((config) =>
    config.portal === null ? config : { ...config, portal: { ...config.portal, logoFile } },
  );
  const logo = await visitor.get('/.latchkey/logo');
  expect([logo.status, logo.headers['content-type']]).toEqual([200, 'image/svg+xml']);
  expect(logo.headers['content-security-policy']).toContain('sandbox');
  expect((await visitor.get('/.latchkey/login')).text).toContain('<img src="/.latchkey/logo" alt=""');
});

test('icons and robots.txt are there for programs that ask by themselves, with the operator’s PNG where there is one', async () => {
  const portal = await makePortal();
  const fetched = async (name: string) => {
    const { statusCode, headers, rawPayload } = await portal.server.inject(`/.latchkey/${name}`);
    return { status: statusCode, type: headers['content-type'], bytes: rawPayload };
  };
  const touch = await fetched('apple-touch-icon.png');
  expect([touch.status, touch.type, touch.bytes.readUInt32BE(16)]).toEqual([200, 'image/png', 180]);
  const tab = await fetched('favicon.ico');
  // ICONDIR: an icon, one picture of 32 by 32, whose bytes stand where the entry says
  expect([tab.type, ...tab.bytes.subarray(0, 8)]).toEqual(['image/x-icon', 0, 0, 1, 0, 1, 0, 32, 32]);
  expect(tab.bytes.readUInt32LE(14) + tab.bytes.readUInt32LE(18)).toBe(tab.bytes.length);
  expect(tab.bytes.toString('latin1', 23, 26)).toBe('PNG');
  expect((await fetched('robots.txt')).bytes.toString()).toBe('User-agent: *\nDisallow: /\n');

  const logoFile = join(tmpdir(), `lk-logo-${process.pid}.png`);
  onTestFinished(() => rmSync(logoFile, { force: true }));
  const logo = await qrPng('x');
  writeFileSync(logoFile, logo);
  portal.configure((config) =>
    config.portal === null ? config : { ...config, portal: { ...config.portal, logoFile } },
  );
  expect((await fetched('apple-touch-icon.png')).bytes).toEqual(logo);
  // 512 pixels are too wide for an icon, so the built-in one stays
  expect((await fetched('favicon.ico')).bytes).toEqual(tab.bytes);
});
