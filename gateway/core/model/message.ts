// Renders a mail as subject, text and HTML page. Pure. The kinds of mails are in message-kinds.ts and their words in
// message-wording.ts. This file makes them safe: subjects have one line, pages are escaped, and links lead to the portal, or
// for a link's own address to a host behind the gateway by the portal's scheme. Which addresses a mail may go to: mailbox.ts.

import type { MessageKind, MessageValues, MessageWords } from './message-kinds.ts';
import { messageWording, momentWords } from './message-wording.ts';
import { oneLine } from './plain-words.ts';
import { defaultTimeZone } from './time-zone.ts';

/** A mail before it is rendered: its kind, and the values of this kind. */
export type Message = {
  [Kind in MessageKind]: { readonly kind: Kind; readonly values: MessageValues[Kind] };
}[MessageKind];

/** The installation that the mails come from, as people know it. */
interface Branding {
  /** Name of the installation; default `latchkey`. */
  readonly name: string;
  /** `portal.public_url`: scheme and authority, with or without a final slash. The only place that mails lead to. */
  readonly publicUrl: string;
  /** Zone in which the mail tells times to its reader; default UTC. */
  readonly timeZone?: string | null;
}

/** A rendered mail, ready to be sent. */
interface RenderedMessage {
  /** One line, at most `maxSubjectLength`. */
  readonly subject: string;
  readonly text: string;
  /** A complete HTML document, which loads nothing from the network. */
  readonly html: string;
}

/** Longest subject of a mail, in characters. @testing */
export const maxSubjectLength = 120;

/**
 * Renders a mail. Any values give a well-formed mail, except for a path that leaves the portal.
 *
 * @throws RangeError  a path does not begin with one slash, or leads to another host; that is a mistake of the caller
 */
export function renderMessage({ kind, values }: Message, branding: Branding): RenderedMessage {
  const words = wordsOf(kind, values, branding);
  const subject = oneLine(words.subject, maxSubjectLength);
  const closing = `${oneLine(branding.name, 60)} sends this because of something that happened with your address. Please do not reply: nobody reads the answers.`;
  const text: string[] = [];
  const html: string[] = [];
  for (const block of words.blocks) {
    if (typeof block === 'string') {
      text.push(block);
      html.push(`<p style="margin:0 0 16px">${escapeHtml(block)}</p>`);
    } else {
      const url = 'url' in block ? siteUrl(branding, block.url) : portalUrl(branding, block.path);
      text.push(`${block.label}:\n${url}`);
      html.push(button(block.label, url));
    }
  }
  return {
    subject,
    text: `${text.join('\n\n')}\n\n-- \n${closing}\n`,
    html: document(subject, html.join('\n'), closing),
  };
}

/** Applies the wording of a kind to its values; the mapped type of `Message` makes sure that both are of the same kind. */
function wordsOf<Kind extends MessageKind>(kind: Kind, values: MessageValues[Kind], branding: Branding): MessageWords {
  return messageWording[kind](values, oneLine(branding.name, 60), (at) =>
    momentWords(at, branding.timeZone ?? defaultTimeZone),
  );
}

function portalUrl(branding: Branding, path: string): string {
  const base = new URL(branding.publicUrl);
  if (!path.startsWith('/') || !URL.canParse(path, base))
    throw new RangeError('the path of a mail begins with one slash');
  const url = new URL(path, base);
  if (url.origin !== base.origin || url.origin === 'null') throw new RangeError('a mail leads to the portal only');
  return url.href;
}

/** The address of a link, which latchkey made from the configuration: checked once more, so that no mail leads to another scheme. */
function siteUrl({ publicUrl }: Branding, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol !== new URL(publicUrl).protocol || url.username !== '')
    throw new RangeError('the address of a link has the scheme of the portal');
  return url.href;
}

function button(label: string, url: string): string {
  const style =
    'display:inline-block;padding:12px 20px;border-radius:8px;background:#1f5f5b;color:#ffffff;text-decoration:none;font-weight:600';
  const address = escapeHtml(url);
  return (
    `<p style="margin:24px 0"><a href="${address}" style="${style}">${escapeHtml(label)}</a></p>\n` +
    `<p style="margin:0 0 16px;font-size:13px;word-break:break-all">Or copy this address into your browser:<br>${address}</p>`
  );
}

function document(subject: string, body: string, closing: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(subject)}</title>
</head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:34em;margin:0 auto;overflow-wrap:anywhere;word-break:break-word">
${body}
<p style="margin:32px 0 0;font-size:13px;opacity:.7">${escapeHtml(closing)}</p>
</div>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
