// What a page consists of before its frame is put around it: title, body, and what its answer's head has to say.
// Shapes only. Who may see a page and how it is sent is decided in serve/, which look/ never imports.

import type { Html } from './html.ts';

/** One page, before its frame is put around it. */
export interface PageContent {
  /** Of the tab, and the page's one h1 unless `heading` says otherwise. */
  readonly title: string;
  readonly heading?: string;
  readonly body: Html;
  readonly status?: number;
  /** Which entry of the navigation this is, by its path; none by default. */
  readonly section?: string;
  /** `narrow` is for one form. Default `wide`. */
  readonly width?: 'narrow' | 'wide';
  /** Where a browser goes by itself, at once. */
  readonly onwardTo?: string;
  /** `no-referrer` where a secret stood in the address. Default `same-origin`. */
  readonly referrer?: 'same-origin' | 'no-referrer';
  readonly retryAfterSeconds?: number;
}

/** What an error page says in place of the usual words. */
export interface ErrorPageWords {
  readonly title?: string | undefined;
  readonly text?: string | undefined;
  /** A way on: a button that leads to a path of this host. */
  readonly door?: { readonly label: string; readonly path: string };
  readonly retryAfterSeconds?: number | undefined;
}
