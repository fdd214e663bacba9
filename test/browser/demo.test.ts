// The main job end to end: `latchkey demo` as a user starts it, a real Chromium that plays the clip through the gateway,
// and curl with the lines that the demo prints. The browser comes from npm and plays H.264.

import { mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium as driver, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DemoProcess } from '../support/rigs/demo-process.ts';
import { repository } from '../support/run/package-copy.ts';
import { expectSteps, markedBlock, shellSteps } from '../support/run/pages.ts';
import { runCommand } from '../support/run/run-command.ts';
import { ShellSession } from '../support/run/shell-session.ts';
import { openAxeTab } from './axe-faults.ts';

const clip = join(repository, 'config', 'demo', 'clip');
const hasBrowser = process.platform === 'linux';

let demo: DemoProcess;
let hasCurl = false;

beforeAll(async () => {
  demo = await DemoProcess.start();
  hasCurl = await runCommand('curl', ['--version']).then(
    ({ code }) => code === 0,
    () => false,
  );
});

afterAll(() => demo.dispose());

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** Connects to loopback by number, since not every system knows the names below localhost. */
function ask(url: URL, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: url.port, path: url.pathname + url.search };
    const asked = request({ ...options, headers: { host: url.host, ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Runs a printed line, with curl where it is installed. @returns the status it shows */
async function runCurlLine(line: string): Promise<number> {
  if (hasCurl) return Number((await runCommand('sh', ['-c', line])).stdout);
  const [, name = '', value = ''] = /-H '([^:]+): ([^']+)'/.exec(line) ?? [];
  const [, credentials] = /-u '([^']+)'/.exec(line) ?? [];
  const headers: Record<string, string> = name === '' ? {} : { [name]: value };
  if (credentials !== undefined) headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return (await ask(new URL(line.split(' ').at(-1) ?? ''), headers)).status;
}

test('the printed curl lines give the statuses that they promise: 200, 401, 401, and 200 by name and password', async () => {
  const lines = [...demo.printed.matchAll(/^ {2}# .*: (\d{3})\n {2}(curl .*)$/gm)];
  expect(lines.map(([, promised]) => Number(promised))).toEqual([200, 401, 401, 200]);
  for (const [, promised, line] of lines) expect(await runCurlLine(line ?? ''), line).toBe(Number(promised));
});

test('curl walks the playlists by the path form, from the printed URL to the last segment', async () => {
  const fetched = new Map<string, number>();
  const walk = async (url: URL): Promise<void> => {
    const body = hasCurl ? await runCurl(url) : (await ask(url)).body;
    fetched.set(url.pathname.replace(/.*\/vod\//, ''), body.length);
    if (!url.pathname.endsWith('.m3u8')) return;
    for (const match of body.toString().matchAll(/URI="([^"]+)"|^(?!#)(\S+)$/gm)) {
      await walk(new URL(match[1] ?? match[2] ?? '', url));
    }
  };
  await walk(demo.url(/\.m3u8$/));
  expect(fetched.size).toBe(17);
  for (const [name, size] of fetched) expect(size, name).toBe((await stat(join(clip, name))).size);
});

async function runCurl(url: URL): Promise<Buffer> {
  const file = join(demo.folder, 'curl-output');
  const { stdout } = await runCommand('curl', ['-s', '-o', file, '-w', '%{http_code}', url.href]);
  expect(stdout, url.pathname).toBe('200');
  return readFile(file);
}

test('a name and a password open the clip, and the answer carries content and pass', async () => {
  const url = demo.url(/\/vod\/$/);
  const password = /\(alice, ([^)]+)\)/.exec(demo.printed)?.[1];
  const authorization = `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`;
  const playlist = new URL('/vod/master.m3u8', url);
  const answer = await ask(playlist, { authorization });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual(await readFile(join(clip, 'master.m3u8')));
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/^latchkey_pass=[\w.-]+;.*Path=\/vod\//i);

  expect((await ask(playlist, { cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
});

test('the web site shows the user and the assertion that it verified; a client’s headers of the same names never arrive', async () => {
  const signed = demo.url(/app\.localhost:\d+\/\.t\//);
  const forged = { accept: 'application/json', 'x-forwarded-user': 'mallory', 'x-latchkey-assertion': 'forged' };
  const seen = JSON.parse((await ask(signed, forged)).body.toString());
  expect(seen.user).toBe('alice');
  expect(seen.target).toBe('/');
  expect(seen.assertion).toMatchObject({ kind: 'verified', claims: { sub: 'alice', aud: 'web' } });
  expect(seen.headers).toContainEqual(['X-Forwarded-Email', 'alice@example.org']);

  const open = JSON.parse((await ask(new URL('/public/', signed.origin), forged)).body.toString());
  expect(open).toMatchObject({ user: null, assertion: { kind: 'absent' } });
  expect(JSON.stringify([seen, open])).not.toMatch(/mallory|forged/);
});

describe.skipIf(!hasBrowser)('in a browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await driver.launch({
      executablePath: await chromium.executablePath(),
      args: [
        ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
        ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
      ],
    });
  });

  afterAll(() => browser?.close());

  beforeEach(({ task }) => {
    // The two plays count what the site saw from their own beginning.
    seenBefore.set(task.name, demo.readLog('media-site.log').length);
  });
  const seenBefore = new Map<string, number>();

  interface Play {
    /** Names of the segments that the browser got, in order, and the status of each. */
    readonly segments: readonly { readonly name: string; readonly status: number; readonly url: URL }[];
    /** Fields of the segment requests. */
    readonly requestFields: readonly Record<string, string>[];
    readonly seconds: number;
  }

  /** Opens the page and plays the clip to its end, eight times as fast as people do. */
  async function play(page: Page, url: URL): Promise<Play> {
    const segments: { name: string; status: number; url: URL }[] = [];
    const fields: Promise<Record<string, string>>[] = [];
    page.on('response', (response) => {
      const address = new URL(response.url());
      const name = /segment-\d+\.m4s$/.exec(address.pathname)?.[0];
      if (name === undefined) return;
      segments.push({ name, status: response.status(), url: address });
      fields.push(response.request().allHeaders());
    });
    await page.goto(url.href);
    await page.evaluate(`(() => {
      const video = document.querySelector('video');
      video.muted = true;
      video.playbackRate = 8;
      return video.play();
    })()`);
    await page.waitForFunction(`document.querySelector('video').ended`, undefined, { timeout: 120_000 });
    const seconds = await page.evaluate<number>(`document.querySelector('video').currentTime`);
    return { segments, requestFields: await Promise.all(fields), seconds };
  }

  function expectWholeClip({ segments, seconds }: Play): void {
    expect(seconds).toBeGreaterThan(11.5);
    expect(new Set(segments.map(({ name }) => name)).size).toBe(6);
    expect(new Set(segments.map(({ status }) => status))).toEqual(new Set([200]));
  }

  /** What the site saw since the test began: every request for a segment named its user, and none carried a token. */
  function expectAuthorised(test: string): void {
    const seen = demo.readLog('media-site.log').slice(seenBefore.get(test));
    const segments = seen.filter(({ target }) => String(target).includes('segment-'));
    expect(segments.length).toBeGreaterThanOrEqual(6);
    for (const entry of segments) {
      expect(entry).toMatchObject({ user: 'alice', status: 200 });
      expect(entry.target).toMatch(/^\/vod\/(low|high)\/segment-\d\.m4s$/);
    }
  }

  async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
    return (await browser.newContext(options)).newPage();
  }

  test('the clip plays by the path form, and every segment request carries the token', async ({ task }) => {
    const page = await openPage();
    const played = await play(page, demo.url(/media\.localhost.*\/vod\/$/));
    expectWholeClip(played);
    for (const { url } of played.segments) expect(url.pathname).toMatch(/^\/\.t\/[\w.-]+\/vod\//);
    expectAuthorised(task.name);
    await page.context().close();
  });

  test('the clip plays by nothing but the cookie that name and password brought', async ({ task }) => {
    const url = new URL('/vod/', demo.url(/media\.localhost/).origin);
    const password = /\(alice, ([^)]+)\)/.exec(demo.printed)?.[1] ?? '';
    const first = await openPage({ httpCredentials: { username: 'alice', password } });
    await first.goto(url.href);
    expect((await first.context().cookies(url.href)).map(({ name }) => name)).toEqual(['latchkey_pass']);
    const storageState = await first.context().storageState();
    await first.context().close();

    const page = await openPage({ storageState });
    const played = await play(page, url);
    expectWholeClip(played);
    for (const fields of played.requestFields) {
      expect(fields.authorization).toBeUndefined();
      expect(fields.cookie).toMatch(/^latchkey_pass=/);
    }
    expectAuthorised(task.name);
    await page.context().close();
  });

  test('the player shows no picture without a token', async () => {
    const page = await openPage();
    const answer = await page.goto(new URL('/vod/', demo.url(/media\.localhost/).origin).href);
    expect(answer?.status()).toBe(401);
    await page.context().close();
  });

  /** What a step of the printed text says: its only address, and the buttons it names, in order. */
  function printedStep(number: number): { readonly url: string; readonly urls: string[]; readonly buttons: string[] } {
    const [text = ''] = new RegExp(`^  ${number}\\. [\\s\\S]*?(?=^  \\d\\. |^$)`, 'm').exec(demo.printed) ?? [];
    const urls = text.match(/http:\/\/\S+/g) ?? [];
    const buttons = [...text.matchAll(/press "([^"]+)"/gi)].map(([, name = '']) => name);
    return { url: urls[0] ?? '', urls, buttons };
  }

  test('by nothing but the printed steps, a guest without an account watches a film, and it stops when its owner stops sharing; the app with sign-in knows who comes', async () => {
    const guest = await openPage();
    const owner = await openPage();
    const axe = await openAxeTab(browser);

    const first = printedStep(1);
    await guest.goto(first.url);
    await guest.getByLabel('Your mail address').fill('anna@example.org');
    await guest.getByRole('button', { name: first.buttons[0] ?? '', exact: true }).click();
    const mails = await guest.context().newPage();
    await mails.goto(first.urls[1] ?? '');
    const [digits = ''] = /\b\d{6}\b/.exec((await mails.locator('article').first().textContent()) ?? '') ?? [];
    expect(await axe.faults(mails)).toEqual([]);
    await mails.close();
    await guest.getByLabel(/code/i).first().fill(digits);
    for (const name of first.buttons.slice(1)) await guest.getByRole('button', { name, exact: true }).click();
    await guest.waitForURL(/\/vod\/summer\/$/);

    // as people press play: on the picture
    await guest.waitForFunction(`document.querySelector('video').readyState > 1`);
    await guest.locator('video').click();
    await guest.waitForFunction(`document.querySelector('video').currentTime > 0.3`);
    expect(await guest.evaluate(`document.querySelector('video').duration`)).toBeGreaterThan(280);
    expect(await axe.faults(guest)).toEqual([]);

    // the app with sign-in knows by the same sign-in who comes
    const app = await guest.context().newPage();
    const notes = demo.url(/^http:\/\/notes\./).href;
    await app.goto(notes);
    await app.getByText('Signed in as anna@example.org').waitFor();
    await app.getByLabel('Your note').fill('<b>Hello</b> ü');
    await app.getByRole('button', { name: 'Put it up' }).click();
    await app.getByText('<b>Hello</b> ü').waitFor();
    expect(await axe.faults(app)).toEqual([]);

    const third = printedStep(3);
    await owner.goto(third.url);
    await owner
      .locator('main')
      .getByRole('button', { name: third.buttons[0] ?? '' })
      .click();
    await owner.getByRole('heading', { name: 'Welcome' }).waitFor();
    const fourth = printedStep(4);
    await owner.goto(fourth.url);
    await owner.getByText('anna@example.org').first().waitFor();
    await owner
      .locator('main')
      .getByRole('link', { name: fourth.buttons[0] ?? '' })
      .click();
    await owner
      .locator('main')
      .getByRole('button', { name: fourth.buttons[0] ?? '' })
      .click();
    await owner.locator('main').getByRole('button', { name: 'Give back' }).first().waitFor();

    const stopped = Date.now();
    await guest.getByRole('heading', { name: 'Your access has ended' }).waitFor({ timeout: 10_000 });
    expect(Date.now() - stopped).toBeLessThan(6000);
    expect(await guest.locator('video').isVisible()).toBe(false);
    expect(await axe.faults(guest)).toEqual([]);
    await axe.close();
    const again = await Promise.all([
      guest.waitForResponse((response) => response.request().isNavigationRequest()),
      guest.getByRole('link', { name: 'Try again' }).click(),
    ]);
    expect(again[0].status()).toBeGreaterThanOrEqual(400);

    await app.getByRole('link', { name: 'Sign out' }).click();
    await app.locator('main').getByRole('button', { name: 'Sign out' }).click();
    await app.goto(notes);
    await app.waitForURL(/\/\.latchkey\/login/);
    await guest.context().close();
    await owner.context().close();
  });

  test('no log of the gateway holds a token', async () => {
    const token = demo.url(/\/\.t\//).pathname.split('/')[2] ?? '';
    for (const name of ['access.log', 'decisions.log']) {
      const text = await readFile(join(demo.folder, name), 'utf8');
      expect(text.length).toBeGreaterThan(0);
      expect(text).not.toContain(token.split('.')[2]);
    }
  });
});

// The example ends all links of the folder, the printed one too, so it comes after the play by the printed steps.
test('the link of gateway/api/README.md is claimed by one device and opens to the other of the same person, until it is taken back', async (context) => {
  if (!hasCurl) return context.skip('curl is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'lk-'));
  await mkdir(join(folder, 'data'));
  await symlink(demo.folder, join(folder, 'data/demo'));
  const { origin, port } = demo.url(/^http:\/\/portal\./);
  const shell = new ShellSession(folder, { ...process.env, PORTAL: origin });
  try {
    // that npm runs it is tested with the rest of the page
    await shell.run(`npm() { shift 4; '${process.execPath}' '${join(repository, 'gateway/latchkey.mjs')}' "$@"; }`);
    for (const mark of ['links', 'script', 'keys']) {
      await expectSteps(shell, shellSteps(markedBlock(mark).replaceAll(':8080', `:${port}`)));
    }
  } finally {
    await shell.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);

// This test is the last one, because it ends the demo that the others use.
test('Ctrl-C ends the demo with exit code 0, and leaves no process behind', async () => {
  const url = demo.url(/\.m3u8$/);
  expect((await ask(url)).status).toBe(200);
  if (process.platform === 'linux') expect(demo.livingProcesses().length).toBeGreaterThanOrEqual(4);

  expect(await demo.interrupt()).toBe(0);
  await expect(ask(url)).rejects.toThrow(/ECONNREFUSED/);
  expect(demo.livingProcesses()).toEqual([]);
});
