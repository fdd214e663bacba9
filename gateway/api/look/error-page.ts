// The pages that people see when something cannot be shown: in plain words what happened, and what they can do.
// They never tell which check failed: a page of another account and a page that does not exist give the same 404.

import { html } from './html.ts';
import { waitWords } from './moments.ts';
import type { ErrorPageWords, PageContent } from './page-content.ts';

interface Words {
  readonly title: string;
  readonly text: string;
}

const words: Readonly<Record<number, Words>> = {
  400: {
    title: 'That did not arrive whole',
    text: 'Something was missing or garbled on the way. Go back and try again.',
  },
  403: {
    title: 'This is not yours to open',
    text: 'You are signed in, but this is kept for others. Ask whoever runs this place, or sign in with another account.',
  },
  404: {
    title: 'Nothing is here',
    text: 'The address may be mistyped, or what was here is gone. Check it, or go back.',
  },
  405: { title: 'Nothing is here', text: 'The address may be mistyped, or what was here is gone.' },
  410: {
    title: 'This is over',
    text: 'It was taken back, or its time has passed. Ask whoever sent it to you for a new one.',
  },
  413: { title: 'That is too long', text: 'Shorten what you typed and try again.' },
  421: { title: 'Nothing is here', text: 'The address may be mistyped. Check the part before the first slash.' },
  429: { title: 'Too many tries', text: 'Wait a minute, then try again.' },
  500: { title: 'Something broke', text: 'This is our fault. Try again; if it stays, tell whoever runs this place.' },
  503: { title: 'One moment, please', text: 'This cannot be answered right now. Try again in a few seconds.' },
};

/** The page for a status. @param status  400 to 599 */
export function errorPage(status: number, { title, text, door, retryAfterSeconds }: ErrorPageWords = {}): PageContent {
  const usual = words[status] ?? words[status < 500 ? 400 : 500] ?? { title: 'Something broke', text: '' };
  const said =
    status === 429 && retryAfterSeconds !== undefined
      ? `Wait ${waitWords(retryAfterSeconds)}, then try again.`
      : usual.text;
  return {
    title: title ?? usual.title,
    status,
    width: 'narrow',
    body: html`<p>${text ?? said}</p>${
      door === undefined ? null : html`<p><a class="button plain" href="${door.path}">${door.label}</a></p>`
    }`,
    isDeadEnd: door === undefined,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}
