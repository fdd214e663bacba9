// What the page of a resource says to somebody who had access to it: by whom and when it ended. To nobody else, since the names are theirs.
// Names are foreign text: the page holds them escaped and in ASCII, and programs get no name at all.

import type { LostAccess } from '../../core/decision/state/access.ts';
import { asciiMarkup } from './error-place.ts';
import { type Wording, wording } from './refusal-texts.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function lostWording({ how, label, by, at }: LostAccess): Wording {
  const [what, who, when] = [`<b>${asciiMarkup(label)}</b>`, asciiMarkup(by), momentMarkup(at)];
  switch (how) {
    case 'removed':
      return page('Your access has ended', `${who} ended your access to ${what} on ${when}.`, who);
    case 'stopped':
      return page('This is not shared any more', `${who} stopped sharing ${what} on ${when}.`, who);
    case 'over':
      return page('The time for this is over', `${what} was shared with you until ${when}.`, who);
    default:
      return how satisfies never;
  }
}

function page(heading: string, words: string, who: string): Wording {
  return wording(
    'Forbidden',
    'The access that this account had here has ended.',
    heading,
    `${words} If you think that is a mistake, ask ${who}.`,
  );
}

function momentMarkup(at: number): string {
  const time = new Date(at * 1000);
  const clock = time.toISOString().slice(11, 16);
  const day = `${time.getUTCDate()} ${months[time.getUTCMonth()]} ${time.getUTCFullYear()}`;
  return `<time datetime="${time.toISOString()}">${day}, ${clock} UTC</time>`;
}
