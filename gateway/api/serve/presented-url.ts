// Reads a tokenized URL out of a request, and says whether a person may be looking: link previews, prefetches and bots open links as
// well, and learn nothing of them. That somebody is there is no yes to anything: only a button is, see claim.ts.
// Pure reading of the target and the headers; looks nothing up.
// The rest of the query is never decoded and keeps its bytes.

import type { Config } from '../../config/compiled/config.ts';
import { canonicalPath } from '../../core/model/path.ts';
import type { Visit } from './page-route.ts';

/** A tokenized URL without its host. Nothing of it is checked. */
interface PresentedUrl {
  /** Canonical. */
  readonly path: string;
  readonly key: string;
  /** A secret. */
  readonly token: string;
  /** Path and query without the two parameters: where the visitor goes afterwards. */
  readonly cleanTarget: string;
}

/** @returns null when the path has no canonical form, or a parameter is missing or stands twice */
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
 * `person`      a browser that shows the page to somebody
 * `ahead`       a browser that fetches in case somebody may want it; what it gets must not be shown as the page
 * `preview`     a program that makes a picture of a link, or a search engine
 * `program`     anything else that is no navigation
 */
type Visitor = 'person' | 'ahead' | 'preview' | 'program';

/** Names that programs which fetch links for previews and indexes give themselves, in lower case; not what browsers inside them say. */
const previewAgents =
  /(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|whatsapp|slack|telegram(?!-android)|discord|skypeuripreview|microsoftpreview|embedly|linkexpander|google-|mediapartners|applebot|(?<!\[)pinterest|vkshare|iframely|unfurl|safelinks|barracuda|proofpoint|mimecast|urldefense/;

export function whoVisits(visit: Pick<Visit, 'method' | 'header'>): Visitor {
  const purposes = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => visit.header(name) ?? '');
  if (purposes.some((purpose) => /prefetch|prerender|preview/i.test(purpose))) return 'ahead';
  if (visit.method === 'HEAD') return 'preview';
  if (previewAgents.test((visit.header('user-agent') ?? '').toLowerCase())) return 'preview';
  const [site, mode, dest] = ['site', 'mode', 'dest'].map((name) => visit.header(`sec-fetch-${name}`));
  // a browser that says where its requests go says `document` of what it shows, and of nothing in a frame or a script
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
