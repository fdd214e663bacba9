// Every page and form of the portal. One that is not in this list is served nowhere.
// `presentation` answers what is no page of ours at all: an edge sends a request here whose query carries a link's token.

import type { PageRoute } from './page-route.ts';

export const pages: readonly PageRoute[] = [];

/** Answers any GET, HEAD or POST outside the reserved prefix; null: 404. */
export const presentation: PageRoute['run'] | null = null;
