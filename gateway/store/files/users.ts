// The users file: one line a user, `name:credential-id:version:$argon2id$…`; lines that begin with # are comments and stay.
// Each line is a user record. Its id, the credential id, is made once a name; a new password raises its version, so that a
// token can say which version of which record it was issued for.
// Never holds or logs a password.

import { closeSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createFile, errorCode, replaceFile } from '../disk/atomic-file.ts';
import { hashPassword, type PasswordHash, parsePasswordHash, passwordProblem } from '../seal/password-hash.ts';
import { randomBase32 } from '../seal/random-base32.ts';

/** Longest user name, in bytes of UTF-8. */
const maxNameBytes = 128;

export interface UserRecord {
  readonly name: string;
  /** `c_` and 12 characters; stays with the name. */
  readonly userRecordId: string;
  /** Begins at 1 and grows by 1 with each new password. */
  readonly version: number;
  readonly password: PasswordHash;
}

interface RefusedUsers {
  readonly kind: 'refused';
  readonly problem: string;
  readonly hint: string;
}

type ReadUsers = { readonly kind: 'read'; readonly users: ReadonlyMap<string, UserRecord> } | RefusedUsers;

/** A user without the hash. */
export type ListedUser = Pick<UserRecord, 'name' | 'userRecordId' | 'version'>;

/** Reads the whole file. A bad line refuses the file and is named by its number. Look names up with `findUser`. */
export function readUsers(file: string): ReadUsers {
  try {
    return parseUsers(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT'
      ? refused(`users file ${file} does not exist`, `make it with: latchkey user add NAME --file ${file}`)
      : refused(`users file ${file} cannot be read: ${code}`, 'let the account that runs latchkey read it');
  }
}

/** The record of a name as a client sent it; names are compared in NFC. */
export function findUser(users: ReadonlyMap<string, UserRecord>, name: string): UserRecord | null {
  return users.get(name.normalize('NFC')) ?? null;
}

/** All users of the file, in its order. */
export function listUsers(
  file: string,
): { readonly kind: 'listed'; readonly users: readonly ListedUser[] } | RefusedUsers {
  const read = readUsers(file);
  if (read.kind === 'refused') return read;
  return {
    kind: 'listed',
    users: [...read.users.values()].map(({ name, userRecordId, version }) => ({ name, userRecordId, version })),
  };
}

/**
 * Adds a user, or gives an existing one a new password under the next version. Makes the file when missing, mode 0600.
 *
 * @param password  1 to 1024 bytes
 */
export async function addUser(
  file: string,
  name: string,
  password: string,
): Promise<({ readonly kind: 'added' | 'changed' } & ListedUser) | RefusedUsers> {
  const wrong = nameProblem(name) ?? passwordProblem(password);
  if (wrong !== null) return refused(wrong, 'choose another');
  const key = name.normalize('NFC');
  // The slow part comes before the lock.
  const hash = await hashPassword(password);
  return edit(file, 'make', (text, users) => {
    const old = users.get(key);
    const user = {
      name: key,
      userRecordId: old?.userRecordId ?? `c_${randomBase32(12)}`,
      version: (old?.version ?? 0) + 1,
    };
    const line = `${user.name}:${user.userRecordId}:${user.version}:${hash}`;
    const lines = text.split('\n').filter((known, at, all) => known !== '' || at < all.length - 1);
    const at = old === undefined ? lines.length : lines.findIndex((known) => lineName(known) === key);
    lines.splice(at, old === undefined ? 0 : 1, line);
    return { text: `${lines.join('\n')}\n`, result: { kind: old === undefined ? 'added' : 'changed', ...user } };
  });
}

/** Takes a user out of the file. */
export function removeUser(
  file: string,
  name: string,
): Promise<({ readonly kind: 'removed' } & ListedUser) | RefusedUsers> {
  const key = name.normalize('NFC');
  return edit(file, 'refuse', (text, users) => {
    const old = users.get(key);
    if (old === undefined)
      return refused(`there is no user ${JSON.stringify(name)} in ${file}`, 'see: latchkey user list');
    const kept = text.split('\n').filter((line) => lineName(line) !== key);
    return {
      text: kept.join('\n'),
      result: { kind: 'removed', name: key, userRecordId: old.userRecordId, version: old.version },
    };
  });
}

/**
 * Why a text cannot be a user name; null when it can. Basic credentials end the name at a colon (RFC 7617 §2), and upstreams get
 * it in a header.
 */
export function nameProblem(name: string): string | null {
  const bytes = Buffer.byteLength(name.normalize('NFC'));
  if (bytes === 0) return 'the user name is empty';
  if (bytes > maxNameBytes) return `the user name has ${bytes} bytes, more than ${maxNameBytes}`;
  if (name.includes(':')) return 'the user name has a colon';
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) return 'the user name has a control character';
  if (name.startsWith('#')) return 'the user name begins with #';
  return name.trim() === name ? null : 'the user name begins or ends with white space';
}

function parseUsers(file: string, text: string): ReadUsers {
  const users = new Map<string, UserRecord>();
  for (const [at, line] of text.split('\n').entries()) {
    const bad = (what: string, hint = 'write the user anew with: latchkey user add') =>
      refused(`users file ${file}, line ${at + 1}: ${what}`, hint);
    if (line.trim() === '') continue;
    // byte order marks of UTF-8 and of UTF-16; the latter as it reads as UTF-8
    if (at === 0 && /^(?:\ufeff|\ufffd\ufffd.?\0)/.test(line)) {
      return bad('begins with a byte order mark', 'save the file as UTF-8 without a byte order mark');
    }
    if (line.startsWith('#')) continue;
    if (line.endsWith('\r')) return bad('ends in CRLF', 'save the file with LF at the end of its lines');
    if (/[ \t]$/.test(line)) return bad('ends in a blank', 'remove what stands after the hash');
    const [name = '', userRecordId = '', version = '', hash = '', ...rest] = line.split(':');
    const password = parsePasswordHash(hash);
    if (rest.length > 0 || hash === '') return bad('expected name:credential-id:version:hash');
    const wrong = nameProblem(name);
    if (wrong !== null) return bad(wrong);
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(userRecordId)) return bad('the credential id is none');
    if (!/^[1-9]\d{0,8}$/.test(version)) return bad('the version is not a number from 1');
    if (password === null) return bad('the hash is not argon2id in PHC form');
    const key = name.normalize('NFC');
    if (users.has(key)) return bad(`user ${JSON.stringify(name)} stands here twice`);
    users.set(key, { name: key, userRecordId, version: Number(version), password });
  }
  return { kind: 'read', users };
}

function lineName(line: string): string | null {
  return line.startsWith('#') || !line.includes(':') ? null : (line.split(':')[0] ?? '').normalize('NFC');
}

type Edit<T> = (
  text: string,
  users: ReadonlyMap<string, UserRecord>,
) => { readonly text: string; readonly result: T } | RefusedUsers;

/** Reads, changes and writes the file while no other writer does. A file with a bad line is left alone. */
async function edit<T>(named: string, missing: 'make' | 'refuse', change: Edit<T>): Promise<T | RefusedUsers> {
  let file = named;
  try {
    // a symbolic link stays: the file that it points to is replaced
    file = realpathSync(named);
  } catch {
    if (missing === 'refuse') return refused(`users file ${named} does not exist`, 'see --file or --config');
  }
  const lock = await takeLock(`${file}.lock`);
  if (lock !== null) return lock;
  try {
    const existing = readUsers(file);
    const isNew = existing.kind === 'refused' && file === named && !exists(file);
    if (existing.kind === 'refused' && !isNew) return existing;
    const text = isNew ? '' : readFileSync(file, 'utf8');
    const changed = change(text, existing.kind === 'read' ? existing.users : new Map());
    if ('kind' in changed) return changed;
    if (!isNew) replaceFile(file, changed.text);
    else if (!createFile(file, changed.text))
      return refused(`users file ${file} was made by somebody else meanwhile`, 'try again');
    return changed.result;
  } catch (error) {
    return refused(`users file ${file} cannot be written: ${errorCode(error)}`, 'let this account write to its folder');
  } finally {
    rmSync(`${file}.lock`, { force: true });
  }
}

function exists(file: string): boolean {
  try {
    closeSync(openSync(file, 'r'));
    return true;
  } catch (error) {
    return errorCode(error) !== 'ENOENT';
  }
}

/** Takes the lock. A writer holds it for milliseconds; a lock that stands for two seconds was left by a writer that died. */
async function takeLock(lock: string): Promise<RefusedUsers | null> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      const descriptor = openSync(lock, 'wx', 0o600);
      writeSync(descriptor, `${process.pid}\n`);
      closeSync(descriptor);
      return null;
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'EEXIST') return refused(`${lock} cannot be made: ${code}`, 'let this account write to its folder');
      await wait(20);
    }
  }
  return refused(`${lock} is held by another writer`, 'if no other latchkey command runs, delete that file');
}

function refused(problem: string, hint: string): RefusedUsers {
  return { kind: 'refused', problem, hint };
}
