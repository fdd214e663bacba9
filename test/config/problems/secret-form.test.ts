// Secrets with a byte order mark, a CRLF or blanks: the bytes are used unchanged but for one final newline, and a check
// and a start warn of them, whichever secret it is. No message holds a byte of the secret.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readKeyFile } from '../../../gateway/config/files/secrets.ts';
import { loadConfig } from '../../../gateway/config/load.ts';
import { secretOddities } from '../../../gateway/config/problems/secret-form.ts';
import { ConfigFolder } from '../../support/rigs/config-folder.ts';
import { runLatchkey } from '../../support/run/run-latchkey.ts';

const key = 'k'.repeat(40);
const bytes = (text: string) => Buffer.from(text, 'latin1');
/** How a configuration names a variable. */
const variable = (name: string) => `$\{${name}}`;
const bom = '\xef\xbb\xbf';

const rows: readonly (readonly [what: string, file: string, kept: string, said: readonly string[]])[] = [
  ['no newline', key, key, []],
  ['one LF', `${key}\n`, key, []],
  ['a CRLF', `${key}\r\n`, key, ['ends in CRLF; both bytes are dropped']],
  ['two LF', `${key}\n\n`, `${key}\n`, ['ends in a newline, which is part of it']],
  ['two CRLF', `${key}\r\n\r\n`, `${key}\r\n`, ['ends in CRLF', 'ends in a newline, which is part of it']],
  ['a CR', `${key}\r`, `${key}\r`, ['ends in a CR, which is part of it']],
  ['a space', `${key} `, `${key} `, ['ends in a blank, which is part of it']],
  ['a space and a LF', `${key} \n`, `${key} `, ['ends in a blank, which is part of it']],
  ['a tab', `${key}\t\n`, `${key}\t`, ['ends in a blank, which is part of it']],
  ['a no-break space', `${key}\xc2\xa0\n`, `${key}\xc2\xa0`, ['ends in a blank that nobody sees, which is part of it']],
  ['a space before it', ` ${key}\n`, ` ${key}`, ['begins with a blank or a newline, which is part of it']],
  ['a UTF-8 mark', `${bom}${key}\n`, `${bom}${key}`, ['begins with a byte order mark (UTF-8), which is part of it']],
  [
    'a UTF-16 mark',
    `\xff\xfe${key}\n`,
    `\xff\xfe${key}`,
    ['begins with a byte order mark (UTF-16), which is part of it'],
  ],
  ['a mark and a CRLF', `${bom}${key}\r\n`, `${bom}${key}`, ['byte order mark', 'ends in CRLF']],
  ['random bytes that end in a space', `${'\x80\x01\xff'.repeat(12)} `, `${'\x80\x01\xff'.repeat(12)} `, []],
];

test.each(rows)(
  'a key file with %s: the key is what it was before, and what surprises is said',
  (_, file, kept, said) => {
    const folder = new ConfigFolder();
    onTestFinished(() => folder.remove());
    const path = join(folder.path, 'k.secret');
    writeFileSync(path, bytes(file), { mode: 0o600 });
    const read = readKeyFile(path);
    if (read.kind === 'refused') throw new Error(read.problem);
    expect(Buffer.from(read.secret).toString('latin1')).toBe(kept);
    expect(read.oddities.map(({ problem }) => problem)).toEqual(said.map((text) => expect.stringContaining(text)));
    expect(JSON.stringify(read.oddities)).not.toContain('kkk');
  },
);

const yaml = (more: string) => `
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: app, path: /, upstream: web, accept: [token] }]
${more}
`;

function warningsOf(
  more: string,
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
) {
  const folder = new ConfigFolder();
  onTestFinished(() => folder.remove());
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder.path, name), bytes(text), { mode: 0o600 });
  const file = join(folder.path, 'latchkey.yaml');
  writeFileSync(file, yaml(more));
  const loaded = loadConfig(file, (name) => variables[name]);
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  expect(JSON.stringify(loaded.warnings)).not.toContain('hunter2');
  return loaded.warnings.map(({ path, problem }) => `${path}: ${problem.replace(folder.path, '')}`);
}

test('every kind of secret that a configuration names is checked', () => {
  const portal = 'portal: { public_url: "http://portal.localhost:8080" }';
  expect(warningsOf('common_keys: [{ id: k1, secret_file: k, state: signing }]', { k: `${key}\r\n` }, {})).toContain(
    'common_keys[0].secret_file: /k ends in CRLF; both bytes are dropped',
  );
  const webhook = `${portal}\nmail: { from: a@example.org, webhook: "https://hooks.example.org/", webhook_secret_file: w }`;
  expect(warningsOf(webhook, { w: `${key} \n` }, {})).toContain(
    'mail.webhook_secret_file: /w ends in a blank, which is part of it',
  );
  expect(warningsOf(webhook, {}, {})).toContain('mail.webhook_secret_file: /w does not exist');
  const smtp = `${portal}\nmail: { from: a@example.org, smtp: "smtps://u:${variable('PW')}@mail.example.org" }`;
  expect(warningsOf(smtp, {}, { PW: 'hunter2\r\n' })).toContain(
    'mail.smtp: environment variable PW ends in a newline, which is part of it',
  );
  expect(warningsOf(`store: "postgres://u:${variable('PW')}@db/d"`, {}, { PW: '\ufeffhunter2' })).toContain(
    'store: environment variable PW begins with a byte order mark (UTF-8), which is part of it',
  );
  expect(warningsOf('store: "postgres://u:hunter2@db/d "', {}, {})).toContain(
    'store: ends in a blank, which is part of it',
  );
  const whole = warningsOf(`store: ${variable('URL')}`, {}, { URL: 'postgres://u:hunter2@db/d\r' });
  expect(whole.filter((text) => text.startsWith('store'))).toEqual([
    'store: environment variable URL ends in a CR, which is part of it',
  ]);
});

test('a variable without anything unusual causes no warning', () => {
  expect(secretOddities(Buffer.from('hünter 2'), 'as-it-stands')).toEqual([]);
  expect(warningsOf(`store: ${variable('URL')}`, {}, { URL: 'postgres://u:hunter2@db/d' })).toEqual([]);
});

test('latchkey check, and a password read from stdin, warn too', async () => {
  const folder = new ConfigFolder();
  onTestFinished(() => folder.remove());
  writeFileSync(join(folder.path, 'k'), `${key}\r\n`, { mode: 0o600 });
  const file = join(folder.path, 'latchkey.yaml');
  writeFileSync(file, yaml('common_keys: [{ id: k1, secret_file: k, state: signing }]'));
  const checked = await runLatchkey(['check', file]);
  expect(checked).toMatchObject({ code: 0, stderr: expect.stringContaining('ends in CRLF; both bytes are dropped') });
  const users = join(folder.path, 'users');
  const added = await runLatchkey(['user', 'add', 'anna', '--password-stdin', '--file', users], {
    stdin: 'a long password \r\n',
  });
  expect(added.code).toBe(0);
  expect(added.stderr).toContain('the password on stdin ends in CRLF');
  expect(added.stderr).toContain('the password on stdin ends in a blank');
  expect(added.stderr).not.toContain('a long password');
});
