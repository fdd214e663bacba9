// Shapes of a page's content before layout.ts puts the frame around it: title, body, and what belongs into the answer's status and headers.
// serve/ decides who may see a page and how it is sent; look/ never imports from there.

import type { Html } from './html.ts';

/** One page, before its frame is put around it. */
export interface PageContent {
  /** Title of the tab, and the page's one h1 unless `heading` is given. */
  readonly title: string;
  readonly heading?: string;
  readonly body: Html;
  /** HTTP status. Default 200. */
  readonly status?: number;
  /** Path of the navigation entry that the page belongs to; none by default. */
  readonly section?: string;
  /** `narrow` suits a page with one form. Default `wide`. */
  readonly width?: 'narrow' | 'wide';
  /** Address that the browser goes to by itself, at once; none by default. */
  readonly onwardTo?: string;
  /** Referrer policy: `no-referrer` where the page's address may hold a secret. Default `same-origin`. */
  readonly referrer?: 'same-origin' | 'no-referrer';
  readonly retryAfterSeconds?: number;
  /** The page has no link and no form of its own: serve/ adds a button that leads to the first page. Default false. */
  readonly isDeadEnd?: boolean;
}

/** Replacements for the usual words of an error page. */
export interface ErrorPageWords {
  readonly title?: string | undefined;
  readonly text?: string | undefined;
  /** A button that leads on, to a path of this host. */
  readonly door?: { readonly label: string; readonly path: string };
  readonly retryAfterSeconds?: number | undefined;
}
