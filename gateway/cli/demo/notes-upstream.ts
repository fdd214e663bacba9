// The demo's app with sign-in: a board of notes, for whoever is signed in at the gateway. It has no accounts, no passwords and no sessions;
// who writes is what the gateway says in `Remote-Name` and `Remote-Email`, which no client can send. The sign-out link is latchkey's.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type DemoUpstream, listenOnLoopback } from './demo-upstream.ts';
import type { DemoFiles } from './package-files.ts';
import { escapeText, renderSitePage } from './site-page.ts';

interface Note {
  readonly by: string;
  readonly text: string;
}

interface NotesOptions {
  readonly files: DemoFiles;
  /** Path of latchkey's sign-out page, the same on every host. */
  readonly signOutPath: string;
}

const maxBodyBytes = 4096;
const maxNotes = 50;

/** Starts the app on a free loopback port. Its notes are in memory, and end with it. */
export function startNotesUpstream({ files, signOutPath }: NotesOptions): Promise<DemoUpstream> {
  const style = readFileSync(join(files.pages, 'style.css'), 'utf8');
  const notes: Note[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = said(request, 'remote-name') ?? said(request, 'remote-email') ?? said(request, 'remote-user');
    const text = await readText(request);
    if (name === null || text === 'too long' || !isOwnPage(request)) {
      const status = name === null ? 401 : text === 'too long' ? 413 : 403;
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end('not taken\n');
      return;
    }
    if (request.method === 'POST') {
      const note = new URLSearchParams(text).get('note')?.trim() ?? '';
      if (note !== '') notes.unshift({ by: name, text: note });
      notes.length = Math.min(notes.length, maxNotes);
      response.writeHead(303, { location: '/', 'content-length': 0 }).end();
      return;
    }
    const body = renderNotes({ name, email: said(request, 'remote-email'), notes, style, signOutPath });
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  return listenOnLoopback(
    createServer((request, response) => {
      answer(request, response).catch(() => response.destroy());
    }),
  );
}

/** A field of the gateway, as UTF-8: Node.js reads fields as Latin-1. @returns null when absent or empty */
function said({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name]?.toString() ?? '';
  return value === '' ? null : Buffer.from(value, 'latin1').toString('utf8');
}

/** A form counts from the app's own page only; the gateway's cookie would come along from other pages of this machine, too. */
function isOwnPage({ method, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || headers.origin === undefined) return true;
  return URL.parse(headers.origin)?.host === headers.host;
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += String(part);
    if (text.length > maxBodyBytes) return 'too long';
  }
  return text;
}

interface NotesPage {
  readonly name: string;
  readonly email: string | null;
  readonly notes: readonly Note[];
  readonly style: string;
  readonly signOutPath: string;
}

function renderNotes({ name, email, notes, style, signOutPath }: NotesPage): string {
  const rows = notes.map(({ by, text }) => `<div><dt>${escapeText(by)}</dt><dd>${escapeText(text)}</dd></div>`);
  const who = email === null || email === name ? '' : ` (${escapeText(email)})`;
  return renderSitePage({
    heading: 'Notes',
    title: 'Notes',
    style,
    body: `<p class="lede">Signed in as <strong>${escapeText(name)}</strong>${who}. <a href="${escapeText(signOutPath)}">Sign out</a></p>
      <form method="post" action="/">
        <p><label for="note">Your note</label><br><input id="note" name="note" maxlength="500" required></p>
        <p><button type="submit">Put it up</button></p>
      </form>
      ${rows.length === 0 ? '<p>Nobody has written anything yet.</p>' : `<dl>${rows.join('')}</dl>`}`,
  });
}
