// The combined log format of Apache and nginx, which goaccess, AWStats and fail2ban read.
// Text from a client is escaped as Apache escapes it: a quote or a backslash by a backslash, every other byte that is no printable
// ASCII as \xhh. So no text can end its field, or begin a line. The query is not there: a query may hold secrets.

/** What a line says. Null or empty parts become `-`. */
interface CombinedEntry {
  readonly client: string;
  readonly user: string | null;
  readonly method: string;
  readonly path: string;
  readonly protocol: string | null;
  readonly status: number;
  readonly bytesOut: number;
  readonly referer: string | null;
  readonly userAgent: string | null;
}

/** @param at  epoch milliseconds @returns the line with its end */
export function combinedLine(entry: CombinedEntry, at: number): string {
  const { client, user, method, path, protocol, status, bytesOut } = entry;
  const request = method === '' ? '-' : `${quoted(method)} ${quoted(path)} ${protocol ?? '-'}`;
  // a blank would end the field, which has no quotes
  const name = field(user).replaceAll(' ', '\\x20');
  return (
    `${field(client)} - ${name} [${timeText(at)}] "${request}" ${status} ${bytesOut}` +
    ` "${field(entry.referer)}" "${field(entry.userAgent)}"\n`
  );
}

const maxTextLength = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const needsEscape = /["\\\u0000-\u001f\u007f-\uffff]/;

function field(text: string | null): string {
  return text === null || text === '' ? '-' : quoted(text);
}

function quoted(text: string): string {
  const clipped = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}...` : text;
  if (!needsEscape.test(clipped)) return clipped;
  let out = '';
  for (const byte of Buffer.from(clipped, 'utf8')) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte >= 0x7f) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return out;
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

let lastSecond = Number.NaN;
let lastText = '';

/** `22/Nov/2026:10:00:00 +0000`; the same text for all lines of a second. */
function timeText(at: number): string {
  const second = Math.floor(at / 1000);
  if (second !== lastSecond) {
    const iso = new Date(second * 1000).toISOString();
    lastText = `${iso.slice(8, 10)}/${months[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
    lastSecond = second;
  }
  return lastText;
}
