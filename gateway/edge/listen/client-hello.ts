// Finds the server name and the random in a TLS ClientHello before the handshake begins, so that only hosts which want client
// certificates ask for them. The name picks a policy and proves nothing: it is compared with the handshake's own name later.
// Pure. Rules: RFC 8446 §4.1.2 and §5.1, RFC 6066 §3.

import { canonicalHost } from '../../core/decision/route/host.ts';

type ClientHello =
  | { readonly kind: 'partial' }
  /** `serverName` is lower case, null when the client names none. `random`: its 32 octets as latin1. */
  | { readonly kind: 'hello'; readonly serverName: string | null; readonly random: string }
  | { readonly kind: 'malformed' };

/** Longest ClientHello that is looked at, record headers included; real ones have 0.3 to 2 KiB. @testing */
export const maxHelloBytes = 16 * 1024;

/** Records of a ClientHello; real clients use one or two. Without a limit each further byte would have all records walked again. */
const maxRecords = 16;

/** Bytes of a record's header. */
const headBytes = 5;
/** Offset of the random: behind the record's header, the message's type and length, and the version. */
const randomEnd = headBytes + 4 + 2 + 32;

const partial: ClientHello = { kind: 'partial' };
const malformed: ClientHello = { kind: 'malformed' };

/**
 * The random, as `readClientHello` gives it, without reading the rest of the message: for floods.
 *
 * @returns null where it does not stand in the first record as a whole
 */
export function peekRandom(bytes: Buffer): string | null {
  const isStart = bytes.length >= randomEnd && bytes[0] === 22 && bytes[1] === 3 && bytes[headBytes] === 1;
  if (!isStart || bytes.readUInt16BE(3) < randomEnd - headBytes) return null;
  return bytes.toString('latin1', randomEnd - 32, randomEnd);
}

/**
 * Reads a ClientHello.
 *
 * @param bytes  everything that came so far
 */
export function readClientHello(bytes: Buffer): ClientHello {
  const pieces: Buffer[] = [];
  let gathered = 0;
  let wanted = 4;
  let at = 0;
  // one handshake message may be spread over several records
  while (gathered < wanted) {
    if (pieces.length === maxRecords || at + 5 > maxHelloBytes) return malformed;
    if (bytes.length > at && bytes[at] !== 22) return malformed;
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return malformed;
    if (bytes.length < at + 5) return partial;
    const size = bytes.readUInt16BE(at + 3);
    if (size === 0 || size > 16_384) return malformed;
    const end = at + 5 + size;
    if (end > maxHelloBytes) return malformed;
    const piece = bytes.subarray(at + 5, end);
    pieces.push(piece);
    gathered += piece.length;
    if (gathered >= 4 && wanted === 4) {
      const start = Buffer.concat(pieces, 4);
      if (start[0] !== 1) return malformed;
      wanted = 4 + start.readUIntBE(1, 3);
      if (wanted > maxHelloBytes) return malformed;
    }
    if (bytes.length < end) return gathered >= wanted ? readBody(Buffer.concat(pieces, wanted).subarray(4)) : partial;
    at = end;
  }
  return readBody(Buffer.concat(pieces, wanted).subarray(4));
}

function readBody(body: Buffer): ClientHello {
  // version and random
  let at = skipVector(body, 34, 1);
  at = skipVector(body, at, 2);
  at = skipVector(body, at, 1);
  if (at < 0) return malformed;
  const random = body.toString('latin1', 2, 34);
  // a client of TLS 1.2 may leave the extensions out altogether
  if (at === body.length) return { kind: 'hello', serverName: null, random };
  if (skipVector(body, at, 2) !== body.length) return malformed;
  at += 2;
  let serverName: string | null = null;
  let found = false;
  while (at < body.length) {
    const end = at + 4 <= body.length ? skipVector(body, at + 2, 2) : -1;
    if (end < 0) return malformed;
    if (body.readUInt16BE(at) === 0) {
      if (found) return malformed;
      found = true;
      serverName = readServerName(body.subarray(at + 4, end));
      if (serverName === null) return malformed;
    }
    at = end;
  }
  return { kind: 'hello', serverName, random };
}

/** The server name; a list has exactly one name, of the one type there is (RFC 6066 §3). */
function readServerName(list: Buffer): string | null {
  if (list.length < 5 || skipVector(list, 0, 2) !== list.length) return null;
  if (list[2] !== 0 || skipVector(list, 3, 2) !== list.length) return null;
  return canonicalHost(list.toString('latin1', 5));
}

/** @returns the offset behind a vector with a length of that many bytes; -1 when it does not fit, or `at` is -1 */
function skipVector(bytes: Buffer, at: number, lengthBytes: number): number {
  if (at < 0 || at + lengthBytes > bytes.length) return -1;
  const end = at + lengthBytes + bytes.readUIntBE(at, lengthBytes);
  return end > bytes.length ? -1 : end;
}
