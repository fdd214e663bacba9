// The page with the demo's mails: who may read it, and that nothing of a mail becomes markup.

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DemoUpstream } from '../../../gateway/cli/demo/demo-upstream.ts';
import { startMailsSite } from '../../../gateway/cli/demo/mails-site.ts';
import { findDemoFiles } from '../../../gateway/cli/demo/package-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-mails-'));
const mailsFile = join(folder, 'mails');
let site: DemoUpstream;

beforeAll(async () => {
  site = await startMailsSite({ files: findDemoFiles(), mailsFile: () => mailsFile, secret: 's3cret' });
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

function ask(path: string, host = `127.0.0.1:${site.port}`): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: site.port, path, headers: { host } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('before the first mail it says that there is none, and looks again every second', async () => {
  const { status, text } = await ask('/mails/s3cret');
  expect(status).toBe(200);
  expect(text).toContain('No mail yet.');
  expect(text).toContain('http-equiv="refresh" content="1"');
});

test('mails stand there, the newest first, with links to click and without markup of their own', async () => {
  const mail = { time: '2026-01-01T00:00:00Z', to: 'a@example.org', text: 'Go to http://x.localhost/?a=1&b=2 <now>' };
  appendFileSync(mailsFile, `${JSON.stringify({ ...mail, subject: 'First' })}\n`);
  appendFileSync(mailsFile, `${JSON.stringify({ ...mail, subject: '<script>' })}\n{"half`);
  const { text } = await ask('/mails/s3cret');
  expect([...text.matchAll(/<h2>(.*)<\/h2>/g)].map(([, subject]) => subject)).toEqual(['&lt;script&gt;', 'First']);
  expect(text).toContain('<a href="http://x.localhost/?a=1&amp;b=2">');
  expect(text).toContain('&lt;now&gt;');
  expect(text).toContain('to a@example.org, 2026-01-01 00:00:00 UTC');
  expect(text).toContain('http-equiv="refresh" content="5"');
});

test('DNS rebinding: a page of another name reads no mail, and neither does another account of the machine', async () => {
  expect((await ask('/mails/s3cret', `evil.example:${site.port}`)).status).toBe(404);
  expect((await ask('/mails/other')).status).toBe(404);
  expect((await ask('/')).status).toBe(404);
});
