// Users who are removed from the users file lose their passes, once, and nobody else does. gateway/RULES.md "One graph of revocation".

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { revokeUserRecords } from '../../../gateway/control/users-file/revoke-user-records.ts';
import { UserRecordWatch } from '../../../gateway/control/users-file/watch-user-records.ts';
import { userRecordMemoryIn } from '../../../gateway/store/files/known-user-records.ts';
import { addUser, listUsers, removeUser } from '../../../gateway/store/files/users.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { makeContext } from '../../support/rigs/control-context.ts';

let folder = '';
let file = '';
let watch: UserRecordWatch | null = null;
/** The users file of every test: passwords are hashed once. */
let whole = '';
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-credentials-'));
  file = join(folder, 'users');
  if (whole === '') {
    for (const name of ['alice', 'ben', 'cora']) await addUser(file, name, 'a password');
    whole = readFileSync(file, 'utf8');
  }
  writeFileSync(file, whole, { mode: 0o600 });
});
afterEach(async () => {
  await watch?.close();
  rmSync(folder, { recursive: true, force: true });
});

function idsByName(): Record<string, string> {
  const listed = listUsers(file);
  if (listed.kind === 'refused') throw new Error(listed.problem);
  return Object.fromEntries(listed.users.map(({ name, userRecordId }) => [name, userRecordId]));
}

/** A watch that looks only when the test asks. Its memory is in `folder`, for the next watch. */
function startWatch(
  revoke: (ids: readonly string[]) => Promise<void>,
  usersFile: () => string | null = () => file,
): { readonly look: () => Promise<void>; readonly said: () => string } {
  const { logger, said } = memoryLogger();
  const memory = userRecordMemoryIn(folder);
  const started = new UserRecordWatch({ usersFile, memory, revoke, logger, intervalMs: 3_600_000 });
  watch = started;
  return {
    said,
    // a change counts once it has stood still
    look: async () => {
      for (let look = 0; look < 3; look++) await started.look();
    },
  };
}

test('a user who is removed or gets another password is revoked once; unchanged and new users are not', async () => {
  const site = await makeContext();
  const { look } = startWatch((ids) => revokeUserRecords(site.context, { kind: 'system' }, ids));
  await look();
  const { alice, ben } = idsByName();
  await removeUser(file, 'alice');
  await addUser(file, 'ben', 'another password');
  await addUser(file, 'dora', 'a password');
  await look();
  await look();
  const changes = await site.store.sql.selectFrom('changes').select(['kind', 'node']).orderBy('seq').execute();
  expect(changes).toEqual([
    { kind: 'revoke', node: `cr_${alice}` },
    { kind: 'revoke', node: `cr_${ben}` },
  ]);
  const audit = await site.store.sql.selectFrom('audit').select(['actor', 'action', 'subject']).execute();
  expect(audit).toContainEqual({ actor: 'system', action: 'credential.revoked', subject: alice });
});

test('a users file that is broken or away for a while revokes no user', async () => {
  const ended: string[] = [];
  const { look } = startWatch(async (ids) => void ended.push(...ids));
  await look();
  writeFileSync(file, 'alice:half a li');
  await look();
  rmSync(file);
  await look();
  writeFileSync(file, whole);
  await look();
  expect(ended).toEqual([]);
  const { cora } = idsByName();
  await removeUser(file, 'cora');
  await look();
  expect(ended).toEqual([cora]);
});

test('a user who could not be revoked is tried again at the next look', async () => {
  const tries: (readonly string[])[] = [];
  const { look } = startWatch(async (ids) => {
    tries.push(ids);
    if (tries.length < 3) throw new Error('the store is away');
  });
  await look();
  const { alice } = idsByName();
  await removeUser(file, 'alice');
  await look();
  await look();
  expect(tries).toEqual([[alice], [alice], [alice]]);
});

test('a user who is removed or gets another password while nothing runs is revoked once at the next start', async () => {
  const before = startWatch(async () => undefined);
  await before.look();
  await watch?.close();
  const { alice, ben } = idsByName();
  await removeUser(file, 'alice');
  await addUser(file, 'ben', 'another password');
  const ended: string[] = [];
  const after = startWatch(async (ids) => void ended.push(...ids));
  await after.look();
  expect(ended).toEqual([alice, ben]);
  await watch?.close();
  const later = startWatch(async (ids) => void ended.push(...ids));
  await later.look();
  expect(ended).toEqual([alice, ben]);
  expect(statSync(join(folder, 'credentials.json')).mode & 0o777).toBe(0o600);
  // older versions read and wrote the same names
  expect(JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8'))).toEqual({
    version: 1,
    credentials: expect.any(Object),
  });
});

test('a user who could not be revoked before a stop is revoked after the next start', async () => {
  const before = startWatch(async () => {
    throw new Error('the store is away');
  });
  await before.look();
  const { cora } = idsByName();
  await removeUser(file, 'cora');
  await before.look();
  await watch?.close();
  const ended: string[] = [];
  const after = startWatch(async (ids) => void ended.push(...ids));
  await after.look();
  expect(ended).toEqual([cora]);
});

test('when the configuration no longer names the users file, all its users are revoked', async () => {
  const ended: string[] = [];
  let named: string | null = file;
  const { look } = startWatch(
    async (ids) => void ended.push(...ids),
    () => named,
  );
  await look();
  named = null;
  await look();
  expect(ended).toEqual(Object.values(idsByName()));
  // the same file again: they are users again, and may go again
  named = file;
  await look();
  const { ben } = idsByName();
  await removeUser(file, 'ben');
  await look();
  expect(ended.slice(3)).toEqual([ben]);
});

test('a memory file that cannot be read is reported, and revokes no user', async () => {
  writeFileSync(join(folder, 'credentials.json'), '{"version":1,"cred');
  const ended: string[] = [];
  const { look, said } = startWatch(async (ids) => void ended.push(...ids));
  await look();
  expect(said()).toContain('whoever left the users file while nothing ran keeps a pass until it ends');
  const { alice } = idsByName();
  await removeUser(file, 'alice');
  await look();
  expect(ended).toEqual([alice]);
});
