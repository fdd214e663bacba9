// Times as people read them. They are written in UTC and say so; the frame of a page then writes them in the zone that the account names,
// and the script of the page in that of the browser.

import type { EpochSeconds } from '../../core/model/time.ts';
import { defaultTimeZone, wallClock } from '../../core/model/time-zone.ts';
import { type Html, html } from './html.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `22 Nov 2026, 08:15 UTC`, with the exact moment for machines. */
export function moment(at: EpochSeconds): Html {
  const time = new Date(at * 1000);
  const clock = `${twoDigits(time.getUTCHours())}:${twoDigits(time.getUTCMinutes())}`;
  const day = `${time.getUTCDate()} ${months[time.getUTCMonth()]} ${time.getUTCFullYear()}`;
  return html`<time datetime="${time.toISOString()}">${day}, ${clock} UTC</time>`;
}

/** A page whose dates and times, as `moment` wrote them, stand in another zone. @param zone  a name that Intl knows */
export function momentsIn(page: string, zone: string): string {
  if (zone === defaultTimeZone || !page.includes('<time ')) return page;
  const clock = wallClock(zone);
  // only `moment` writes such an element: what people typed is escaped
  return page.replace(
    /(<time datetime="([^"]+)">)\d{1,2} [A-Z][a-z]{2} \d{4}, \d{2}:\d{2} UTC(?=<\/time>)/g,
    (_whole, opening: string, written: string) => {
      const { year, month, day, hour, minute } = clock(Date.parse(written) / 1000);
      return `${opening}${day} ${months[month - 1]} ${year}, ${twoDigits(hour)}:${twoDigits(minute)}`;
    },
  );
}

/** `1 second`, `12 minutes`, `2 hours`: how long to wait, rounded up. */
export function waitWords(seconds: number): string {
  if (seconds < 90) return amountOf(Math.max(1, Math.ceil(seconds)), 'second');
  if (seconds < 90 * 60) return amountOf(Math.ceil(seconds / 60), 'minute');
  return amountOf(Math.ceil(seconds / 3600), 'hour');
}

/** `just now`, `12 minutes ago`, `3 days ago`; after 31 days the date and time. */
export function ago(at: EpochSeconds, now: EpochSeconds): Html {
  const seconds = now - at;
  if (seconds > 31 * 86_400) return moment(at);
  const text =
    seconds < 90
      ? 'just now'
      : seconds < 3600
        ? count(seconds / 60, 'minute')
        : seconds < 86_400
          ? count(seconds / 3600, 'hour')
          : count(seconds / 86_400, 'day');
  return html`<time datetime="${new Date(at * 1000).toISOString()}">${text}</time>`;
}

function count(amount: number, unit: string): string {
  return `${amountOf(Math.floor(amount), unit)} ago`;
}

function amountOf(whole: number, unit: string): string {
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
