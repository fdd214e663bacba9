// The demo's app with sign-in, on a real socket: it knows people by what the gateway says, and by nothing else.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DemoUpstream } from '../../../gateway/cli/demo/demo-upstream.ts';
import { startNotesUpstream } from '../../../gateway/cli/demo/notes-upstream.ts';
import { findDemoFiles } from '../../../gateway/cli/demo/package-files.ts';

let site: DemoUpstream;

beforeAll(async () => {
  site = await startNotesUpstream({ files: findDemoFiles(), signOutPath: '/.latchkey/logout' });
});
afterAll(() => site.close());

function ask(headers: Record<string, string>, note?: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${site.port}/`, {
    headers,
    redirect: 'manual',
    ...(note === undefined ? {} : { method: 'POST', body: new URLSearchParams({ note }) }),
  });
}

const anna = {
  'remote-user': 'ac_1',
  'remote-name': Buffer.from('Änna').toString('latin1'),
  'remote-email': 'a@x.org',
};

test('it greets by name, and has the way to sign out', async () => {
  const text = await (await ask(anna)).text();
  expect(text).toContain('Signed in as <strong>Änna</strong> (a@x.org)');
  expect(text).toContain('<a href="/.latchkey/logout">Sign out</a>');
});

test('a note stands under the name of who wrote it; a form of another origin writes none', async () => {
  expect((await ask({ ...anna, origin: 'http://evil.localhost' }, 'forged')).status).toBe(403);
  expect((await ask({ ...anna, origin: `http://127.0.0.1:${site.port}` }, '<b>')).status).toBe(303);
  const text = await (await ask(anna)).text();
  expect(text).toContain('<dt>Änna</dt><dd>&lt;b&gt;</dd>');
  expect(text).not.toContain('forged');
});

test('nobody is let in whom the gateway does not name, and no note is too long', async () => {
  expect((await ask({})).status).toBe(401);
  expect((await ask(anna, 'x'.repeat(5000))).status).toBe(413);
});
