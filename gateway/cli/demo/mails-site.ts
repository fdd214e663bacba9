// The mails of the demo as a page, on loopback only and never through the gateway: they hold codes and links that sign people in.
// Its address has a secret part, because other accounts of this machine reach loopback as well, and asks for its own `Host`, so that no
// page of another site reads it by a name that leads to 127.0.0.1 (DNS rebinding).

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type DemoUpstream, listenOnLoopback } from './demo-upstream.ts';
import type { DemoFiles } from './package-files.ts';
import { escapeText, renderSitePage } from './site-page.ts';

interface MailsOptions {
  readonly files: DemoFiles;
  /** File of `mail.log`; null while there is none yet. */
  readonly mailsFile: () => string | null;
  /** Last part of the page's path. */
  readonly secret: string;
}

interface Mail {
  readonly time: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

const shownMails = 20;
/** Seconds until the page looks again: at once for the first code that somebody waits for, slower where digits are being copied. */
const refresh = { whileEmpty: 1, withMails: 5 } as const;

/** Starts the site on a free loopback port. The page's path is `/mails/<secret>`; everything else is a 404. */
export function startMailsSite({ files, mailsFile, secret }: MailsOptions): Promise<DemoUpstream> {
  const style = readFileSync(join(files.pages, 'style.css'), 'utf8');
  return listenOnLoopback(
    createServer((request, response) => {
      request.resume();
      const isOwnHost = request.headers.host === `127.0.0.1:${request.socket.localPort}`;
      if (!isOwnHost || request.method !== 'GET' || request.url !== `/mails/${secret}`) {
        response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('nothing here\n');
        return;
      }
      const file = mailsFile();
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
      });
      response.end(renderMails(file === null ? [] : readMails(file), style));
    }),
  );
}

/** The newest mails, newest first. A file that is not there has none, and a line that is half written is left out. */
function readMails(file: string): Mail[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .slice(-shownMails - 1, -1)
    .reverse()
    .flatMap(readMail);
}

function readMail(line: string): Mail[] {
  try {
    const { time, to, subject, text }: Record<string, unknown> = JSON.parse(line);
    return [{ time: String(time), to: String(to), subject: String(subject), text: String(text) }];
  } catch {
    return [];
  }
}

function renderMails(mails: readonly Mail[], style: string): string {
  const articles = mails.map(
    ({ time, to, subject, text }) => `<article class="mail">
        <h2>${escapeText(subject)}</h2>
        <p class="lede">to ${escapeText(to)}, ${escapeText(plainTime(time))}</p>
        <pre>${withLinks(text)}</pre>
      </article>`,
  );
  const refreshSeconds = mails.length === 0 ? refresh.whileEmpty : refresh.withMails;
  return renderSitePage({
    heading: 'Mails of the demo',
    title: 'Mails of the demo',
    style,
    refreshSeconds,
    body: `<p class="lede">Nothing is sent anywhere: what latchkey would mail stands here, the newest first. This page looks for new ones by itself.</p>
      ${articles.length === 0 ? '<p>No mail yet.</p>' : articles.join('\n      ')}`,
  });
}

/** `2026-12-01T03:56:02.000Z` as `2026-12-01 03:56:02 UTC`. */
function plainTime(iso: string): string {
  return iso.replace(/^(\S{10})T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC');
}

function withLinks(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, index) =>
      index % 2 === 0 ? escapeText(part) : `<a href="${escapeText(part)}">${escapeText(part)}</a>`,
    )
    .join('');
}
