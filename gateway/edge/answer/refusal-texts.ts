// What the gateway's own answers say: to programs as problem+json (RFC 9457), to people as a small page that says what to do next.
// The error page has the portal's look, name and logo, a way on, and no word that only programmers know. Its texts are built once;
// everything is ASCII, so that a length in characters is one in bytes.

import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import type { DenyReason } from '../../core/decision/verdict/reasons.ts';
import { problemJson } from '../../http1/problem-json.ts';
import { errorPlaceOf } from './error-place.ts';

/** The texts of a status, or of a reason that its status would describe wrongly. */
export interface Wording {
  /** Reason phrase of the status line, and title of the problem. */
  readonly title: string;
  /** For programs and those who write them. */
  readonly detail: string;
  /** The error page up to the end of its title's own words. */
  readonly pageHead: string;
  /** Heading and text of the error page. */
  readonly pageText: string;
}

/** @param words  of the error page: what happened, and what to do next, for people who never heard of tokens; markup */
export function wording(title: string, detail: string, heading: string, words: string): Wording {
  return { title, detail, pageHead: head(heading), pageText: `<h1>${heading}</h1>\n<p>${words}</p>\n` };
}

function head(heading: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading}`;
}

const elseTell = 'If it stays like this, tell whoever runs this place.';
const misunderstood = ['That did not arrive whole', 'Go back, and open the page or the link once more.'] as const;
const cannot = ['That cannot be done here', 'Go back to where you came from, and open the page once more.'] as const;
const goOn = ['One moment, please', 'You are led on. If nothing happens, load the page again.'] as const;

const byStatus: ReadonlyMap<number, Wording> = new Map([
  [302, wording('Found', 'Please go on at the address in Location.', ...goOn)],
  [303, wording('See Other', 'Please sign in to open this.', ...goOn)],
  [308, wording('Permanent Redirect', 'This is served at the address in Location.', ...goOn)],
  [400, wording('Bad Request', 'The request could not be understood.', ...misunderstood)],
  [
    401,
    wording(
      'Unauthorized',
      'A valid credential is needed to open this.',
      'This is not open to everybody',
      'Open it with the link or the password you were given. If that stopped working, ask whoever gave it to you for a new one.',
    ),
  ],
  [
    403,
    wording(
      'Forbidden',
      'The credential is valid, but it does not open this.',
      'This is not open to you',
      'What you were given opens something else here, but not this. Ask whoever sent you here for a link to it.',
    ),
  ],
  [
    404,
    wording(
      'Not Found',
      'Nothing is served at this address.',
      'Nothing is here',
      'The address may be mistyped, or what was here is gone. Check the address, or go back to where you came from.',
    ),
  ],
  [405, wording('Method Not Allowed', 'This method is not served here.', ...cannot)],
  [
    408,
    wording(
      'Request Timeout',
      'The request did not arrive in time.',
      'That took too long',
      'Your connection was too slow this time. Try again.',
    ),
  ],
  [
    413,
    wording(
      'Content Too Large',
      'The body of the request is longer than this address takes.',
      'That is too large',
      'What you sent is larger than this place takes. Send something smaller.',
    ),
  ],
  [
    414,
    wording(
      'URI Too Long',
      'The address is longer than 16 KiB.',
      'That address is too long',
      'Check that it was not pasted twice, and try again.',
    ),
  ],
  [417, wording('Expectation Failed', 'The expectation in the request cannot be met.', ...cannot)],
  [
    421,
    wording(
      'Misdirected Request',
      'This host name is not served here.',
      'Nothing is here',
      'The address may be mistyped. Check the part before the first slash.',
    ),
  ],
  [426, wording('Upgrade Required', 'Of WebSocket, version 13 is spoken here.', ...cannot)],
  [
    429,
    wording(
      'Too Many Requests',
      'Too many requests; please wait before the next one.',
      'Too many tries',
      'There were very many requests in a short time. Wait a minute, then try again.',
    ),
  ],
  [
    431,
    wording(
      'Request Header Fields Too Large',
      'The request has more than 100 fields or 32 KiB of them.',
      'Your browser sent too much',
      'Delete the cookies of this site in your browser, then load the page again.',
    ),
  ],
  [501, wording('Not Implemented', 'This method is not known here.', ...cannot)],
  [
    502,
    wording(
      'Bad Gateway',
      'The site behind this gateway did not answer properly.',
      'This page is out of order',
      `It is not your fault. Try again in a few minutes. ${elseTell}`,
    ),
  ],
  [
    503,
    wording(
      'Service Unavailable',
      'This cannot be answered right now; please try again shortly.',
      'One moment, please',
      `This cannot be shown right now. Load the page again in a few seconds. ${elseTell}`,
    ),
  ],
  [
    504,
    wording(
      'Gateway Timeout',
      'The site behind this gateway did not answer in time.',
      'This page takes too long',
      `It is not your fault. Try again in a few minutes. ${elseTell}`,
    ),
  ],
  [
    508,
    wording(
      'Loop Detected',
      'The site behind this gateway leads back to the gateway.',
      'This page is out of order',
      `It is not your fault. ${elseTell}`,
    ),
  ],
  [505, wording('HTTP Version Not Supported', 'HTTP/1.1 and HTTP/1.0 are spoken here.', ...cannot)],
]);

const fallback = wording('Error', 'The request was not answered.', 'That did not work', `Try again. ${elseTell}`);

const device = 'This opens only on devices that were set up for it';
const askForDevice = 'Use such a device, or ask whoever runs this place to set yours up.';

/** Refusals that the status alone would describe wrongly, and whose cause the reader can change. */
const byReason: ReadonlyMap<DenyReason, Wording> = new Map([
  ['certificate-missing', wording('Forbidden', 'A client certificate is needed to open this.', device, askForDevice)],
  [
    'certificate-refused',
    wording('Forbidden', 'A valid client certificate is needed to open this.', device, askForDevice),
  ],
  [
    'not-a-member',
    wording(
      'Forbidden',
      'You are signed in, but nobody has shared this with you. Ask its owner, or sign in with another account.',
      'Your account has no access here',
      'You are signed in, but nobody has shared this with your account. Ask whoever sent you here for a link. Once you open it, you can come back any time.',
    ),
  ],
  [
    'not-allowed-here',
    wording(
      'Forbidden',
      'The credential is valid, but this is open to some people only, and its holder is none of them.',
      'This is for some people only',
      'What you came with is good, but this part is kept for certain people. If you should be one of them, ask whoever runs this place, or come with another account.',
    ),
  ],
  [
    'credential-in-clear',
    wording(
      'Forbidden',
      'Tokens and passwords are taken over https only.',
      'This address is not safe',
      'Put https:// in front of the address, and open it again.',
    ),
  ],
]);

/** @param reason  null where the status says everything */
export function findWording(status: number, reason: DenyReason | null): Wording {
  const own = reason === null ? undefined : byReason.get(reason);
  return own ?? byStatus.get(status) ?? fallback;
}

export function problem(status: number, { title, detail }: Wording, requestId: string): string {
  return `${problemJson({ title, status, detail, request_id: requestId })}\n`;
}

/**
 * The error page of a place. Who can wait and ask again gets a button for that, everybody else one to the first page.
 *
 * @param doors  ready markup of links that lead on better than these; or nothing
 */
export function errorPage(
  status: number,
  { pageHead, pageText }: Wording,
  place: Pick<Snapshot, 'portal' | 'reservedPrefix'>,
  requestId: string,
  doors: string,
): string {
  const { opening, homeButton, retryButton, whom } = errorPlaceOf(place);
  const mayTryAgain = status === 408 || status === 429 || status >= 500 || status < 400;
  const ways = doors !== '' ? doors : mayTryAgain ? retryButton : homeButton;
  return `${pageHead}${opening}${pageText}${ways}${whom}<p><small>If you ask for help, say this number: ${requestId}</small></p>\n</main>\n</body>\n</html>\n`;
}
