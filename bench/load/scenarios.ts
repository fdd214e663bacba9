// The scenarios of the load test: which requests are sent, and the one right answer to each. Pure.
// The site's files are the demo's clip, so that answers with text and with small and large binary files are all compared.

import { makeBearer, spoil } from '../workload/tokens.ts';

/** One file of the site, with the bytes that a client must receive. */
export interface SiteFile {
  /** Below `/vod/`, as in a URL. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

interface Expected {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
  /** Body as `comparable` text; null for any body but the file's. */
  readonly body: string | null;
  /** The file's content as `comparable` text; the body of a refusal must not be this. */
  readonly secretBody: string;
}

export interface Scenario {
  readonly title: string;
  readonly requests: readonly Expected[];
}

interface Credentials {
  readonly secret: string;
  /** `exp` of good tokens, and of tokens that ended long ago; epoch seconds. */
  readonly expires: number;
  readonly expired: number;
  readonly users: number;
}

type Kind = 'good' | 'absent' | 'spoilt' | 'expired' | 'elsewhere';

const statusOf: Readonly<Record<Kind, number>> = { good: 200, absent: 401, spoilt: 401, expired: 401, elsewhere: 403 };

/** Authorised, refused and mixed requests over all files of the site. */
export function makeScenarios(files: readonly SiteFile[], credentials: Credentials): Scenario[] {
  const make = (title: string, kinds: readonly Kind[]): Scenario => ({
    title,
    requests: Array.from({ length: credentials.users }, (_, user) =>
      // kinds and files rotate with different periods, so that each kind is combined with each file
      kinds.map((kind, at) => expect(pick(files, user + at), kind, user, credentials)),
    ).flat(),
  });
  return [
    make('authorised', ['good']),
    make('refused: no token', ['absent']),
    make('refused: wrong, expired or out of scope', ['spoilt', 'expired', 'elsewhere']),
    make('mixed', ['good', 'absent', 'good', 'spoilt', 'good', 'expired', 'good', 'elsewhere']),
  ];
}

/**
 * The part of a body that is compared: its characters below 0x80, in order.
 * autocannon decodes each chunk as UTF-8 on its own, so other characters may come out differently at the borders of chunks.
 */
export function comparable(body: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are part of what is compared
  return body.replace(/[^\x00-\x7f]/g, '');
}

/** Whether `comparable(body)` equals `content`. It does not make that string, since answers are many and large. */
export function matches(body: string, content: string): boolean {
  let at = 0;
  for (let from = 0; from < body.length; from += 1) {
    const code = body.charCodeAt(from);
    if (code > 0x7f) continue;
    if (code !== content.charCodeAt(at)) return false;
    at += 1;
  }
  return at === content.length;
}

/** Null when an answer is right, else what was wrong with it. */
export function judge(expected: Expected, status: number, body: string): string | null {
  const { path } = expected;
  if (status !== expected.status) return `${path}: answered ${status}, expected ${expected.status}`;
  if (expected.body !== null && !matches(body, expected.body)) return `${path}: not the bytes of the file`;
  if (expected.body === null && matches(body, expected.secretBody)) return `${path}: a refused request got the file`;
  return null;
}

function expect(file: SiteFile, kind: Kind, user: number, credentials: Credentials): Expected {
  const content = comparable(Buffer.from(file.bytes).toString('utf8'));
  const token = makeToken(kind, user, credentials);
  return {
    path: `/vod/${file.path}`,
    headers: {
      Host: 'media.localhost',
      'User-Agent': `load/${user}`,
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    },
    status: statusOf[kind],
    body: kind === 'good' ? content : null,
    secretBody: content,
  };
}

function makeToken(kind: Kind, user: number, { secret, expires, expired }: Credentials): string | null {
  switch (kind) {
    case 'good':
      return makeBearer(user, secret, expires);
    case 'absent':
      return null;
    case 'spoilt':
      return spoil(makeBearer(user, secret, expires));
    case 'expired':
      return makeBearer(user, secret, expired);
    case 'elsewhere':
      return makeBearer(user, secret, expires, ['/other/*']);
    default:
      return kind satisfies never;
  }
}

function pick(files: readonly SiteFile[], index: number): SiteFile {
  const file = files[index % files.length];
  if (file === undefined) throw new Error('the site has no files');
  return file;
}
