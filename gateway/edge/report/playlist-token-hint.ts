// Notices players that lose their token: they fetched a playlist with a token, and what the playlist names without one.
// Relative URLs keep a token that stands in the path and drop one that stands in the query; absolute paths drop both.
// It makes hints for the operator; nothing is allowed or refused because of them.

import { LRUCache } from 'lru-cache';
import type { CredentialPlace, TokenForm } from '../../core/decision/state/facts.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { Described } from '../request/describe.ts';
import { requestClass } from '../request/field-classes.ts';

const maxRemembered = 4096;
// A player asks for what its playlist names within seconds; a live playlist is fetched again and again.
const memoryMs = 120_000;

interface SeenPlaylist {
  readonly form: TokenForm;
  readonly host: string;
  readonly seenMs: number;
}

/** Remembers which visitors fetched a playlist with a token in its URL lately. One per edge. */
export class PlaylistTokenHints {
  readonly #seen = new LRUCache<string, SeenPlaylist>({ max: maxRemembered });

  /** To be called for each allowed request. @param form  where the credential stood that decided */
  remember(request: Described, form: CredentialPlace, nowMs: number): void {
    if ((form !== 'path' && form !== 'query') || !isPlaylist(request.path)) return;
    this.#seen.set(visitor(request), { form, host: request.host, seenMs: nowMs });
  }

  /** To be called for each request that is refused for want of a credential. @returns what the operator can do; null for no hint */
  hintFor(request: Described, nowMs: number): string | null {
    if (this.#seen.size === 0) return null;
    const seen = this.#seen.get(visitor(request));
    if (seen === undefined || seen.host !== request.host || nowMs - seen.seenMs > memoryMs) return null;
    return seen.form === 'query'
      ? 'a playlist was fetched with its token in the query, and players do not repeat a query: sign the playlist in path form (url sign --in path) or let the player keep cookies'
      : 'a playlist was fetched in path form, but names this file by an absolute path: use relative URLs in the playlist, or cookies';
  }
}

function isPlaylist(path: string): boolean {
  return path.endsWith('.m3u8') || path.endsWith('.mpd');
}

function visitor(request: Described): string {
  const head = request.head;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] === requestClass.userAgent) {
      return `${request.clientAddress}\n${head.valueOf(index)}`;
    }
  }
  return request.clientAddress;
}
