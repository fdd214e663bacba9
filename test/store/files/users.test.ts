// The users file: written users can be read, comments stay, writers at the same time lose no user, and timing does not tell who
// has an account.

import { argon2Sync } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addUser,
  findUser,
  listUsers,
  readUsers,
  removeUser,
  type UserRecord,
} from '../../../gateway/store/files/users.ts';
import { parsePasswordHash, verifyPassword } from '../../../gateway/store/seal/password-hash.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-users-'));
  file = join(folder, 'users');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function user(name: string): UserRecord | null {
  const read = readUsers(file);
  if (read.kind === 'refused') throw new Error(read.problem);
  return findUser(read.users, name);
}

test('an added user has a credential id, version 1, and a password that verifies', async () => {
  const added = await addUser(file, 'anna', 'correct horse');
  expect(added).toEqual({
    kind: 'added',
    name: 'anna',
    userRecordId: expect.stringMatching(/^c_[a-z2-7]{12}$/),
    version: 1,
  });
  expect(readFileSync(file, 'utf8')).toMatch(
    /^anna:c_[a-z2-7]{12}:1:\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}\n$/,
  );
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await verifyPassword(user('anna'), 'correct horse')).toBe(true);
  expect(await verifyPassword(user('anna'), 'correct horse ')).toBe(false);
  expect(readdirSync(folder)).toEqual(['users']);
});

test('a new password keeps the credential id, raises the version, and ends the old password', async () => {
  const first = await addUser(file, 'anna', 'one');
  const second = await addUser(file, 'anna', 'two');
  expect(second).toEqual({ ...first, kind: 'changed', version: 2 });
  expect(await verifyPassword(user('anna'), 'one')).toBe(false);
  expect(await verifyPassword(user('anna'), 'two')).toBe(true);
});

test('comments, blank lines and the order of other users stay when a user is changed or removed', async () => {
  await addUser(file, 'anna', 'a');
  await addUser(file, 'ben', 'b');
  const [anna = '', ben = ''] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `# staff\n${anna}\n\n# guests, see ben:\n${ben}\n# end\n`);
  await addUser(file, 'anna', 'a2');
  await addUser(file, 'cleo', 'c');
  await removeUser(file, 'ben');
  const lines = readFileSync(file, 'utf8').split('\n');
  expect(lines.map((line) => (line.startsWith('#') ? line : line.split(':')[0]))).toEqual([
    '# staff',
    'anna',
    '',
    '# guests, see ben:',
    '# end',
    'cleo',
    '',
  ]);
  expect(listUsers(file)).toMatchObject({
    kind: 'listed',
    users: [
      { name: 'anna', version: 2 },
      { name: 'cleo', version: 1 },
    ],
  });
});

test('eight writers at once lose no user', async () => {
  const names = Array.from({ length: 8 }, (_, at) => `user-${at}`);
  const results = await Promise.all(names.map((name) => addUser(file, name, `password of ${name}`)));
  expect(results.map((result) => result.kind)).toEqual(names.map(() => 'added'));
  const listed = listUsers(file);
  expect(listed.kind === 'listed' && listed.users.map(({ name }) => name).sort()).toEqual(names);
});

test('a lock that another writer holds is respected and named', async () => {
  await addUser(file, 'anna', 'a');
  writeFileSync(`${file}.lock`, '1\n');
  expect(await removeUser(file, 'anna')).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining('held by another writer'),
  });
  expect(existsSync(`${file}.lock`)).toBe(true);
  expect(user('anna')).not.toBeNull();
});

test('a symbolic link to the file stays a link', async () => {
  const real = join(folder, 'real');
  writeFileSync(real, '', { mode: 0o600 });
  symlinkSync(real, file);
  await addUser(file, 'anna', 'a');
  expect(readFileSync(real, 'utf8')).toContain('anna:');
});

test('removing an unknown user, or a user of a missing file, is refused', async () => {
  expect(await removeUser(file, 'anna')).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining('does not exist'),
  });
  await addUser(file, 'anna', 'a');
  expect(await removeUser(file, 'ben')).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining('no user "ben"'),
  });
});

test.each([
  ['', 'empty'],
  ['a:b', 'colon'],
  ['a\nb', 'control character'],
  ['a\u0085b', 'control character'],
  ['#anna', 'begins with #'],
  [' anna', 'white space'],
  ['ä'.repeat(65), '130 bytes'],
])('the name %j is refused', async (name, part) => {
  expect(await addUser(file, name, 'pw')).toMatchObject({ kind: 'refused', problem: expect.stringContaining(part) });
  expect(existsSync(file)).toBe(false);
});

test.each([
  ['CRLF', (text: string) => text.replaceAll('\n', '\r\n'), 'line 2: ends in CRLF', 'LF'],
  ['a byte order mark', (text: string) => `\ufeff${text}`, 'line 1: begins with a byte order mark', 'UTF-8 without'],
  [
    'UTF-16',
    (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le'),
    'begins with a byte order mark',
    'UTF-8 without',
  ],
  ['blanks', (text: string) => text.replaceAll('\n', ' \n'), 'line 2: ends in a blank', 'after the hash'],
])('a file that an editor saved with %s is refused by that name', async (_, save, problem, hint) => {
  writeFileSync(file, '# readers\n', { mode: 0o600 });
  await addUser(file, 'anna', 'pw');
  writeFileSync(file, save(readFileSync(file, 'utf8')));
  expect(readUsers(file)).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining(problem),
    hint: expect.stringContaining(hint),
  });
});

test.each([
  ['', 'empty'],
  ['x'.repeat(1025), '1025 bytes'],
])('a password that cannot be hashed is refused (case %#)', async (password, part) => {
  expect(await addUser(file, 'anna', password)).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining(part),
  });
});

test('a password of 1024 bytes works', async () => {
  await addUser(file, 'anna', 'x'.repeat(1024));
  expect(await verifyPassword(user('anna'), 'x'.repeat(1024))).toBe(true);
});

test('names and passwords typed in decomposed Unicode are the same as composed ones', async () => {
  await addUser(file, 'Ren\u00e9', 'caf\u00e9');
  expect(await verifyPassword(user('Rene\u0301'), 'cafe\u0301')).toBe(true);
});

test('an unknown name, an empty password and a far too long password are never right', async () => {
  await addUser(file, 'anna', 'x');
  expect(await verifyPassword(null, 'x')).toBe(false);
  expect(await verifyPassword(user('anna'), '')).toBe(false);
  expect(await verifyPassword(user('anna'), 'x'.repeat(100_000))).toBe(false);
});

test('an unknown name costs the work of an argon2 check, as a known one does', async () => {
  await addUser(file, 'anna', 'right');
  const record = user('anna');
  const cpu = async (check: () => Promise<boolean>) => {
    const before = process.cpuUsage();
    for (let round = 0; round < 8; round++) await check();
    const used = process.cpuUsage(before);
    return used.user + used.system;
  };
  const known = await cpu(() => verifyPassword(record, 'wrong'));
  const unknown = await cpu(() => verifyPassword(null, 'wrong'));
  // A shortcut would cost a thousandth; the wide margin is for a busy machine.
  expect(unknown).toBeGreaterThan(known / 3);
  expect(unknown).toBeLessThan(known * 3);
});

test('a hash made by another argon2id with other parameters verifies', async () => {
  const salt = Buffer.from('somesaltsomesalt');
  const hash = argon2Sync('argon2id', {
    message: 'password',
    nonce: salt,
    parallelism: 2,
    tagLength: 24,
    memory: 64,
    passes: 3,
  });
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  writeFileSync(file, `anna:c_1:7:$argon2id$v=19$m=64,t=3,p=2$${text(salt)}$${text(hash)}\n`);
  expect(user('anna')).toMatchObject({ userRecordId: 'c_1', version: 7 });
  expect(await verifyPassword(user('anna'), 'password')).toBe(true);
  expect(await verifyPassword(user('anna'), 'Password')).toBe(false);
});

test('the argon2id vector of the reference implementation verifies', async () => {
  // phc-winner-argon2, src/test.c: version 0x13, t=2, m=16, p=1, "password", "somesalt".
  const password = parsePasswordHash(
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  );
  expect(password).not.toBeNull();
  expect(await verifyPassword(password && { password }, 'password')).toBe(true);
});

describe('a bad line', () => {
  const hash = '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  test.each([
    ['anna', 'expected name:credential-id:version:hash'],
    [`anna:c_1:1:${hash}:x`, 'expected name:credential-id:version:hash'],
    [`:c_1:1:${hash}`, 'the user name is empty'],
    [`anna:c 1:1:${hash}`, 'credential id'],
    [`anna:c_1:0:${hash}`, 'version'],
    ['anna:c_1:1:$2y$05$abcdefghijklmnopqrstuv', 'not argon2id'],
    [`anna:c_1:1:${hash.replace('argon2id', 'argon2i')}`, 'not argon2id'],
    [`anna:c_1:1:${hash.replace('m=64', 'm=9999999')}`, 'not argon2id'],
    [`anna:c_1:1:${hash}\nanna:c_2:1:${hash}`, 'stands here twice'],
  ])('%s refuses the file by the number of its line, and no command changes the file', async (line, part) => {
    const text = `# head\n${line}\n`;
    writeFileSync(file, text);
    expect(readUsers(file)).toMatchObject({ kind: 'refused', problem: expect.stringMatching(/line [23]: /) });
    expect(readUsers(file)).toMatchObject({ problem: expect.stringContaining(part) });
    expect((await addUser(file, 'ben', 'b')).kind).toBe('refused');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
