// Hashes and checks passwords with argon2id, off the main thread.
// An unknown name costs the same work as a known one, so that the time of an answer does not tell whether an account exists.
// Rules: RFC 9106 (argon2id), the PHC string format, RFC 8265 §4.2 (passwords compared in NFC).

import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** Passwords are 1 to this many bytes of UTF-8. */
const maxPasswordBytes = 1024;

/** A PHC string taken apart. */
export interface PasswordHash {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** What new hashes cost: OWASP's first choice for argon2id, 19 MiB and two passes. */
const cost = { memoryKiB: 19_456, passes: 2, parallelism: 1 } as const;

const argon2Async = promisify(argon2);

/** Stands in for the record of an unknown name. Its hash is random, so no known password fits. */
const nobody: PasswordHash = { ...cost, salt: randomBytes(16), hash: randomBytes(32) };

/** Whether a password can be hashed at all: 1 to 1024 bytes. @returns the problem, or null */
export function passwordProblem(password: string): string | null {
  const bytes = Buffer.byteLength(password.normalize('NFC'));
  if (bytes === 0) return 'the password is empty';
  return bytes > maxPasswordBytes ? `the password has ${bytes} bytes, more than ${maxPasswordBytes}` : null;
}

/** Hashes a password under a new salt. @returns a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive({ ...cost, salt, hash: new Uint8Array(32) }, password);
  return `$argon2id$v=19$m=${cost.memoryKiB},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Checks a password against a record, or does the same work against none.
 *
 * @param record    null for an unknown name: the answer is false, after the work
 * @param password  as presented; an empty or too long password is never right
 */
export async function verifyPassword(
  record: { readonly password: PasswordHash } | null,
  password: string,
): Promise<boolean> {
  const fits = passwordProblem(password) === null;
  const expected = record !== null && fits ? record.password : nobody;
  const actual = await derive(expected, fits ? password : 'x');
  return timingSafeEqual(actual, expected.hash) && record !== null && fits;
}

/** Takes a PHC string apart. @returns null unless it is of argon2id, version 19, with parameters inside sane bounds */
export function parsePasswordHash(text: string): PasswordHash | null {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(
      text,
    );
  if (match === null) return null;
  const [memoryKiB = 0, passes = 0, parallelism = 0] = match.slice(1, 4).map(Number);
  const salt = Buffer.from(match[4] ?? '', 'base64');
  const hash = Buffer.from(match[5] ?? '', 'base64');
  const inBounds = parallelism >= 1 && passes >= 1 && memoryKiB >= 8 * parallelism && memoryKiB <= 1_048_576;
  if (!inBounds || base64(salt) !== match[4] || base64(hash) !== match[5]) return null;
  return { memoryKiB, passes, parallelism, salt, hash };
}

/** Whether a hash cost less work than new hashes do; then it is replaced at the next sign-in with the right password. */
export function isCostBelowPresent(hash: PasswordHash): boolean {
  return hash.memoryKiB * hash.passes < cost.memoryKiB * cost.passes || hash.memoryKiB < cost.memoryKiB;
}

function derive(settings: PasswordHash, password: string): Promise<Buffer> {
  return argon2Async('argon2id', {
    message: Buffer.from(password.normalize('NFC')),
    nonce: settings.salt,
    parallelism: settings.parallelism,
    tagLength: settings.hash.length,
    memory: settings.memoryKiB,
    passes: settings.passes,
  });
}

/** Base64 without padding, as PHC strings have it. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
