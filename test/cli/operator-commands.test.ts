// `latchkey account`, `link`, `credential`, `share`, `common-key` and `store` as an operator types them: with a running gateway, and with its store alone.
// Exit codes, outputs, JSON shapes, file modes. The decisions of the endpoints are tested with the endpoints. Each command runs as a
// separate process at least once.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { okAnswer, RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { type ServeProcess, startServe } from '../support/rigs/serve-process.ts';
import { runHere } from '../support/run/run-here.ts';
import { runLatchkey } from '../support/run/run-latchkey.ts';

const config = (upstreamPort: number) => ({
  common_keys: [],
  portal: { public_url: 'http://portal.localhost:8080' },
  mail: { from: 'latchkey <keys@example.org>', log: './mails' },
  collections: [{ name: 'summer', host: 'media.localhost', path: '/vod/summer/', owners: ['owner@example.org'] }],
  upstreams: { media: { servers: [`http://127.0.0.1:${upstreamPort}`] } },
  routes: [
    { name: 'vod', host: 'media.localhost', path: '/vod/', upstream: 'media', accept: ['token', 'member'] as const },
  ],
});

describe('with a running gateway', () => {
  let upstream: RecordingUpstream;
  let gateway: ServeProcess;

  beforeAll(async () => {
    upstream = await RecordingUpstream.start();
    upstream.fallback = okAnswer('content');
    const { routes, ...rest } = config(upstream.port);
    gateway = await startServe({
      config: { ...rest, routes: routes.map((route) => ({ ...route, accept: [...route.accept] })) },
    });
  });

  afterAll(async () => {
    await gateway?.dispose();
    await upstream?.close();
  });

  const where = () => ['--config', join(gateway.folder, 'latchkey.yaml')];
  const command = (...args: string[]) => runHere([...args, ...where()]);
  /** The same as a process of its own. */
  const program = (...args: string[]) => runLatchkey([...args, ...where()]);
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await command(...args, '--json');
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };

  test('mail test sends one mail now, and says by which way', async () => {
    expect((await command('mail', 'test', 'Anna@Example.org')).stdout).toMatch(
      /^sent to anna@example\.org by the file .*mails; /,
    );
    expect(readFileSync(join(gateway.folder, 'mails'), 'utf8')).toContain('A test mail of latchkey');
    expect(await command('mail', 'test', 'anna')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not a mail address'),
    });
  });

  test('check warns of groups that no account has, and says when it could not look', async () => {
    const { account } = await json('account', 'add', 'editor@example.org', '--group', 'editors');
    const file = join(gateway.folder, 'named.yaml');
    const named = (dataDir: string) => `
data_dir: ${dataDir}
listeners: [{ address: 127.0.0.1:0 }]
portal: { public_url: "http://portal.localhost:8080" }
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: app, path: /, upstream: web, accept: [session], allow: { groups: [editors, editor] } }]
`;
    writeFileSync(file, named('./data'));
    const looked = await runHere(['check', file]);
    expect(looked.stderr).toContain(
      'routes[0].allow.groups[1]: no account is in the group "editor" (did you mean "editors"?)',
    );
    expect(looked.stderr).not.toContain('groups[0]');
    writeFileSync(file, named('./nowhere'));
    expect((await runHere(['check', file])).stderr).toContain(
      'whether accounts have the groups could not be looked at',
    );
    expect((await command('account', 'delete', account, '--yes')).code).toBe(0);
  });

  test('account commands make, invite, change and delete accounts, and make sign-in links', async () => {
    const { account } = await json('account', 'add', 'Owner@Example.org', '--name', 'Olivia', '--admin');
    expect(account).toMatch(/^ac_[\w-]{22}$/);
    const added = await command('account', 'add', 'new@example.org', '--group', 'staff');
    expect(added.stderr).toMatch(
      /they come in by: .+ account sign-in-link new@example\.org --config .*latchkey\.yaml\n$/,
    );
    expect((await command('account', 'delete', 'new@example.org', '--yes')).code).toBe(0);
    const invited = await program('account', 'invite', 'ben@example.org', '--group', 'editors');
    expect(invited.stdout).toMatch(/^http:\/\/portal\.localhost:8080\/\.latchkey\/invitation\?code=[\w.-]+\n$/);
    const listed = await json('account', 'list');
    expect(listed).toHaveLength(2);
    expect(listed).toContainEqual({
      ...{ id: account, email: 'owner@example.org', is_verified: true, name: 'Olivia', groups: [], role: 'admin' },
      ...{ state: 'active', has_password: false, created_at: expect.any(Number) },
    });
    expect((await command('account', 'show', 'ben@example.org')).stdout).toMatch(
      /groups +editors\n(.*\n)*state +not verified/,
    );
    const link = await command('account', 'sign-in-link', account);
    expect(link.stdout).toMatch(/^http:\/\/portal\.localhost:8080\/\.latchkey\/sign-in\?code=[\w.-]+\n$/);

    const refusals: [string[], number, RegExp][] = [
      [['add', 'owner@example.org'], 1, /^error: somebody has an account with this address\nhint: /],
      [['sign-in-link', 'ben@example.org'], 1, /^error: nobody has shown yet that the address is theirs\nhint: /],
      [['set-role', account, 'king'], 2, /^error: unknown role "king"\nhint: user or admin/],
      [['delete', 'ben@example.org'], 2, /^error: deleting ben@example.org \(ac_.*\) is for good\nhint: /],
    ];
    for (const [args, code, message] of refusals) {
      const refused = await command('account', ...args);
      expect(refused, args.join(' ')).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    }
    expect((await command('account', 'delete', 'ben@example.org', '--yes')).code).toBe(0);
    expect(await json('account', 'list')).toHaveLength(1);
  });

  test('link commands print URLs, list links without them, open them again and revoke them', async () => {
    const made = await program('link', 'create', '--collection', 'summer', '--label', 'for you', '--claim-until', '7d');
    expect(made.stdout).toMatch(
      /^http:\/\/media\.localhost:8080\/vod\/summer\/\?key=ak_[\w-]+&authtoken=li_[\w-]+\.[\w-]+\n$/,
    );
    const id = /li_[\w-]{22}/.exec(made.stdout)?.[0] ?? '';
    const secret = made.stdout.trim().split('.').at(-1) ?? '';
    const listed = await json('link', 'list');
    expect(listed).toMatchObject([
      { id, collection: 'summer', state: 'open', claims_allowed: 1, claims_used: 0, access_until_at: null },
    ]);
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(await json('link', 'members', id)).toEqual([]);
    const forTwo = ['link', 'create', '--collection', 'summer', '--label', 'x', '--for', 'a@example.org,b@example.org'];
    const people = (await json(...forTwo)).made;
    expect(people.map((one: { link: { for_email: string }; mail: string }) => [one.link.for_email, one.mail])).toEqual([
      ['a@example.org', 'queued'],
      ['b@example.org', 'queued'],
    ]);
    for (const one of people) await program('link', 'revoke', one.link.id);
    expect((await program('link', 'create', '--collection', 'summer', '--label', 'x', '--for', 'a@')).stderr).toContain(
      '--for has something that is no mail address',
    );
    const again = await json('link', 'reopen', id, '--claims', '3', '--claim-until', 'never', '--new-url');
    expect(again).toMatchObject({ link: { claims_allowed: 3, claim_until_at: null } });
    expect(again.url).toContain(`authtoken=${id}.`);
    expect(again.url).not.toContain(secret);
    expect(await json('link', 'revoke', id)).toEqual({ id, was_live: true });
    expect(await json('link', 'give-back', id)).toMatchObject({ id, state: 'open', revoked_at: null });
    expect(await json('link', 'revoke', '--collection', 'summer')).toEqual({ collection: 'summer', links: 1 });
    expect(await json('link', 'give-back', '--collection', 'summer')).toEqual({ collection: 'summer', links: 1 });
    expect(await json('link', 'revoke', id)).toEqual({ id, was_live: true });

    const refusals: [string[], number, RegExp][] = [
      [
        ['create', '--collection', 'nope', '--label', 'x'],
        1,
        /^error: there is no collection "nope"\nhint: collections: summer/,
      ],
      [
        ['create', '--collection', 'summer', '--label', 'x', '--path', '/else/'],
        1,
        /^error: --path has to lie in the collection/,
      ],
      [
        ['create', '--collection', 'summer', '--label', 'x', '--claim-until', 'soon'],
        2,
        /^error: --claim-until: "soon" is no moment\nhint: /,
      ],
      [['reopen', id, '--claims', '5'], 1, /^error: a revoked link stays revoked\nhint: /],
      [['revoke', '--collection', 'sumer'], 1, /^error: there is no collection "sumer"\nhint: collections: summer\n/],
      [['list', '--colection', 'x'], 2, /^error: unknown option .*\n(?:.*\n)?hint: latchkey link list --help\n/],
    ];
    for (const [args, code, message] of refusals) {
      const refused = await command('link', ...args);
      expect(refused, args.join(' ')).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    }
  });

  test('credential and share commands issue, offer, list, and end, each with its refusals in words', async () => {
    await json('account', 'add', 'holder@example.org');
    const picture = join(gateway.folder, 'card.png');
    writeFileSync(picture, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    const card = ['--name', 'Staff card', '--issuer', 'Hillside'];
    const issued = await program('credential', 'issue', 'holder@example.org', ...card, '--picture', picture);
    const credential = issued.stdout.trim();
    expect([issued.code, credential]).toEqual([0, expect.stringMatching(/^cd_[\w-]{22}$/)]);
    expect(issued.stderr).toContain(`credential add-key ${credential} --config`);
    const key = await json('credential', 'add-key', credential, '--name', 'Film', '--collection', 'summer');
    expect(key).toMatchObject({ credential, path: '/vod/summer/', needs_second_factor: false });
    expect(await json('credential', 'list', '--search', 'HOLDER@')).toMatchObject([
      { id: credential, state: 'in-force', picture: true, keys: [{ id: key.id }] },
    ]);

    const made = await program('share', 'create', key.id, 'mina@example.org', '--until', '30d', '--uses', '2');
    const share = made.stdout.trim();
    expect([made.code, share]).toEqual([0, expect.stringMatching(/^sh_[\w-]{22}$/)]);
    expect(made.stderr).toMatch(/a message goes to mina@example\.org; it can be accepted until 20/);
    expect(await json('share', 'list', '--search', 'mina')).toMatchObject([
      { id: share, state: 'pending', uses_allowed: 2, given_by: { name: 'holder@example.org' }, depth: 0 },
    ]);
    expect((await command('share', 'list')).stdout).toContain('Film (Staff card)');
    expect((await json('share', 'history', share)).map(({ action }: { action: string }) => action)).toEqual([
      'share.created',
    ]);
    expect(await json('share', 'revoke', share)).toMatchObject({ id: share, state: 'withdrawn' });
    expect(await json('share', 'list', '--state', 'pending')).toEqual([]);

    const refusals: [string[], number, RegExp][] = [
      [['credential', 'issue', 'nobody@example.org', ...card], 1, /^error: there is no such account.*\nhint: /],
      [
        ['credential', 'issue', 'holder@example.org', ...card, '--picture', '/none'],
        1,
        /^error: \/none cannot be read/,
      ],
      [['credential', 'issue', 'holder@example.org', ...card, '--valid-until', 'x'], 2, /^error: --valid-until: "x"/],
      [['credential', 'add-key', credential, '--name', 'x', '--collection', 'no'], 1, /^error: there is no collection/],
      [['credential', 'withdraw', 'li_1'], 2, /^error: "li_1" is no id of a credential\nhint: /],
      [['share', 'create', key.id, 'mina@'], 1, /^error: that is no mail address\nhint: /],
      [['share', 'create', key.id, 'holder@example.org'], 1, /^error: whoever has this address has the key already/],
      [['share', 'create', key.id, 'mina@example.org', '--reshare-depth', '3'], 1, /^error: --reshare-depth is more/],
      [['share', 'disable', share], 1, /^error: this share is withdrawn/],
      [['share', 'revoke', 'sh_1'], 2, /^error: "sh_1" is no id of a share/],
    ];
    for (const [args, code, message] of refusals) {
      const refused = await command(...args);
      expect(refused, args.join(' ')).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    }
    expect(await json('credential', 'remove-key', key.id)).toEqual({ id: key.id, was_live: true });
    expect(await json('credential', 'withdraw', credential)).toEqual({ id: credential, was_live: true });
    expect((await command('credential', 'withdraw', credential)).stdout).toContain('was withdrawn before');
  });

  test('audit export prints the log as JSON lines, oldest first, and is noted in it once', async () => {
    for (let at = 0; at < 3; at++) await json('account', 'add', `audited-${at}@example.org`);
    const exported = await program('audit', 'export', '--since', '1h');
    expect([exported.code, exported.stderr]).toEqual([0, '']);
    const lines = exported.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(Object.keys(lines[0])).toEqual([
      'position',
      'at',
      'at_epoch',
      'actor',
      'action',
      'subject',
      'details',
      'request_id',
    ]);
    const positions = lines.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].toSorted((one, other) => one - other));
    for (const { at, at_epoch: epoch } of lines)
      expect([/^[\d-]+T[\d:]+Z$/.test(at), Date.parse(at)]).toEqual([true, epoch * 1000]);
    expect(lines.filter(({ action }) => action === 'account.created').length).toBeGreaterThanOrEqual(3);
    expect(lines.filter(({ action }) => action === 'audit.exported')).toEqual([lines.at(-1)]);
    expect(lines.at(-1)).toMatchObject({
      actor: 'operator',
      subject: 'audit',
      details: { since_at: expect.any(Number) },
    });
    expect((await command('audit', 'export', '--since', '2h', '--until', '1h')).stdout).toBe('');
    for (const args of [
      ['--since', 'yesterday'],
      ['--since', '2026-07-01'],
      ['--since', '1h', '--until', '2h'],
    ]) {
      expect((await command('audit', 'export', ...args)).code).toBe(2);
    }
  });

  test('common-key export writes each form to a file that only its owner may read', async () => {
    const [key] = (await json('common-key', 'list')).filter((each: { purpose: string }) => each.purpose === 'content');
    const file = join(gateway.folder, 'plain.secret');
    expect(await command('common-key', 'export', '--form', 'plain', '--out', file)).toMatchObject({
      code: 0,
      stdout: '',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, 'utf8').trimEnd();
    expect(secret).toMatch(/^[\w-]{43}$/);
    const jwk = JSON.parse((await command('common-key', 'export')).stdout);
    expect(jwk).toEqual({
      keys: [{ kty: 'oct', kid: key.id, alg: 'HS256', use: 'sig', k: Buffer.from(secret).toString('base64url') }],
    });
    const haproxy = await program('common-key', 'export', '--form', 'haproxy');
    expect(haproxy.stdout).toContain(`\nLATCHKEY_${key.id.toUpperCase()}='${secret}'\n`);
    expect((await command('common-key', 'export', '--form', 'plain', '--out', file)).stderr).toMatch(/exists already/);
    expect(await command('common-key', 'retire', key.id)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: (it is the key that signs|tokens of it may hold until)/),
    });
  });

  test('the store can be backed up and checked while the gateway runs, but not restored or migrated', async () => {
    const file = join(gateway.folder, 'backup.jsonl');
    expect(await json('store', 'backup', file)).toMatchObject({
      file,
      rows: expect.any(Number),
      epoch: expect.any(String),
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await json('store', 'check')).toEqual({ holds: true, problems: [] });
    expect(await program('store', 'restore', file, '--force')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/held by another latchkey/),
    });
    expect(await program('explain', 'no-such-request')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: nothing is known of request "no-such-request"\nhint: /),
    });
  });
});

describe('without a gateway', () => {
  let folder: string;
  let file: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lk-'));
    file = join(folder, 'latchkey.yaml');
    const { common_keys: _none, ...rest } = config(9);
    writeFileSync(file, JSON.stringify({ ...rest, listeners: [{ address: '127.0.0.1:0' }], data_dir: './data' }));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const command = (...args: string[]) => runHere([...args, '--config', file]);

  test('commands that only read make no store; a command that writes makes one, and the next command finds it', async () => {
    for (const args of [
      ['store', 'check'],
      ['store', 'backup', join(folder, 'none')],
      ['common-key', 'list'],
    ]) {
      const { code, stderr } = await command(...args);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^error: the store .*latchkey\.db does not exist\nhint: /),
      ]);
    }
    const made = await runLatchkey(['account', 'add', 'owner@example.org', '--admin', '--config', file]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^made ac_/) });
    expect(made.stderr).toMatch(/a master key was made in .*master\.key/);
    expect((await command('account', 'list')).stdout).toContain('owner@example.org');
    // more than two pages, of which the command keeps one at a time
    const database = new DatabaseSync(join(folder, 'data', 'latchkey.db'));
    const insert = `with recursive n(value) as (select 1 union all select value + 1 from n where value < 1200)
      insert into audit ("at", actor, action, subject, details) select ?, 'system', 'limit.reached', value, '{}'
      from n`;
    database.prepare(insert).run(Math.floor(Date.now() / 1000));
    database.close();
    const lines = (await command('audit', 'export', '--since', '1h')).stdout.trimEnd().split('\n');
    expect(lines[0]).toContain('"action":"account.created"');
    const subjects = lines.map((line) => JSON.parse(line)).filter(({ action }) => action === 'limit.reached');
    expect(subjects.map(({ subject }) => Number(subject))).toEqual(Array.from({ length: 1200 }, (_, at) => at + 1));
    expect(lines.at(-1)).toContain('"action":"audit.exported"');
    const key = await command('common-key', 'generate', '--id', 'k2');
    expect(key).toMatchObject({ code: 0, stdout: 'added k2 (verifying)\n' });
    expect(await command('common-key', 'promote', 'k2')).toMatchObject({ code: 0, stdout: 'k2 is signing\n' });
    expect((await command('store', 'migrate')).stdout).toMatch(/^up to date: migration \d+\n$/);
  });

  test('commands refuse to change keys that the configuration file declares, and say where to change them', async () => {
    const own = join(folder, 'yaml-keys.yaml');
    writeFileSync(join(folder, 'k1.secret'), 'k'.repeat(40), { mode: 0o600 });
    const declared = { common_keys: [{ id: 'k1', secret_file: './k1.secret', state: 'signing' }] };
    writeFileSync(own, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...declared }));
    for (const args of [['generate'], ['export']]) {
      const refused = await runHere(['common-key', ...args, '--config', own]);
      expect(refused).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/declares the common keys \(k1\).*\nhint: /),
      });
    }
  });
});
