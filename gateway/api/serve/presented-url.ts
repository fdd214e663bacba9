// Reads a tokenized URL from a request's target, and tells from its headers whether a person may see the answer: link previews, prefetches
// and bots open links as well, and must learn nothing of the link. A person's visit is no consent; only the button is, see claim.ts.
// Reads only the target and the headers; looks nothing up. The rest of the query is never decoded and keeps its bytes.

import type { Config } from '../../config/compiled/config.ts';
import { canonicalPath } from '../../core/model/path.ts';
import type { Visit } from './page-route.ts';

/** A tokenized URL without its host. Key and token are NOT checked. */
interface PresentedUrl {
  /** Canonical path. */
  readonly path: string;
  /** Id of the link key. */
  readonly key: string;
  /** The authorization token; a secret. */
  readonly token: string;
  /** Path and query without the two parameters: where the visitor goes afterwards. */
  readonly cleanTarget: string;
}

/** @returns the tokenized URL's parts; null when the path has no canonical form, or one of both parameters is missing or stands twice */
export function readPresentedUrl(
  target: string,
  { keyParameter, tokenParameter }: Config['links'],
): PresentedUrl | null {
  const mark = target.indexOf('?');
  const path = canonicalPath(mark < 0 ? target : target.slice(0, mark));
  if (path === null || mark < 0) return null;
  const pairs = target.slice(mark + 1).split('&');
  const keys = valuesOf(pairs, keyParameter);
  const tokens = valuesOf(pairs, tokenParameter);
  const [key, token] = [keys[0], tokens[0]];
  if (key === undefined || token === undefined || keys.length > 1 || tokens.length > 1) return null;
  const rest = pairs.filter((pair) => nameOf(pair) !== keyParameter && nameOf(pair) !== tokenParameter);
  return { path, key, token, cleanTarget: rest.length === 0 ? path : `${path}?${rest.join('&')}` };
}

/**
 * What sent the request for a tokenized URL:
 * `person`   a browser that shows the answer to somebody
 * `ahead`    a browser that fetches the page in advance; it must not show this answer later
 * `preview`  a program that makes previews of links, or a search engine
 * `program`  any other request that is not a navigation
 */
type Visitor = 'person' | 'ahead' | 'preview' | 'program';

/** User agents of programs that fetch links for previews and search engines, in lower case; the browsers built into apps do not match. */
const previewAgents =
  /(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|whatsapp|slack|telegram(?!-android)|discord|skypeuripreview|microsoftpreview|embedly|linkexpander|google-|mediapartners|applebot|(?<!\[)pinterest|vkshare|iframely|unfurl|safelinks|barracuda|proofpoint|mimecast|urldefense/;

/** Judges the visitor by method and headers alone. A program can pass for a person, so a visit alone never claims a link. */
export function whoVisits(visit: Pick<Visit, 'method' | 'header'>): Visitor {
  const purposes = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => visit.header(name) ?? '');
  if (purposes.some((purpose) => /prefetch|prerender|preview/i.test(purpose))) return 'ahead';
  if (visit.method === 'HEAD') return 'preview';
  if (previewAgents.test((visit.header('user-agent') ?? '').toLowerCase())) return 'preview';
  const [site, mode, dest] = ['site', 'mode', 'dest'].map((name) => visit.header(`sec-fetch-${name}`));
  // A browser that sends Sec-Fetch-* says `document` for a page of a tab, and something else for a frame or a script's request.
  if (site !== undefined || mode !== undefined || dest !== undefined) {
    return dest === 'document' && (mode ?? 'navigate') === 'navigate' ? 'person' : 'program';
  }
  const wantsPage = (visit.header('accept') ?? '').includes('text/html');
  return wantsPage && visit.header('x-requested-with') === undefined ? 'person' : 'program';
}

function valuesOf(pairs: readonly string[], name: string): string[] {
  return pairs.filter((pair) => nameOf(pair) === name).map((pair) => pair.slice(name.length + 1));
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals < 0 ? pair : pair.slice(0, equals);
}
