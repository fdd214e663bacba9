// Times as people read them. They are in UTC, and say so, because a page without a script cannot know its reader's time zone.

import type { EpochSeconds } from '../../core/model/time.ts';
import { type Html, html } from './html.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `22 Nov 2026, 08:15 UTC`, with the exact moment for machines. */
export function moment(at: EpochSeconds): Html {
  const time = new Date(at * 1000);
  const clock = `${twoDigits(time.getUTCHours())}:${twoDigits(time.getUTCMinutes())}`;
  const day = `${time.getUTCDate()} ${months[time.getUTCMonth()]} ${time.getUTCFullYear()}`;
  return html`<time datetime="${time.toISOString()}">${day}, ${clock} UTC</time>`;
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
