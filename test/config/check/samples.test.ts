// The samples that users copy load as they stand, and the JSON Schema beside them is the one the code makes.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../../gateway/config/load.ts';
import { formatProblems } from '../../../gateway/config/problems/format.ts';
import { configJsonSchema } from '../../../gateway/config/schema/schema.ts';

const samples = join(import.meta.dirname, '../../../config');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-samples-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.each(['minimal.yaml', 'media-site.yaml', 'behind-a-cdn.yaml', 'links.yaml', 'sharing.yaml'])(
  'the sample %s loads once the files it names exist',
  (name) => {
    cpSync(join(samples, name), join(folder, name));
    writeFileSync(join(folder, 'k1.secret'), 's'.repeat(48), { mode: 0o600 });
    writeFileSync(join(folder, 'users'), '', { mode: 0o600 });
    const loaded = loadConfig(join(folder, name), () => undefined);
    expect(loaded.kind === 'invalid' ? formatProblems(loaded.problems) : loaded.warnings).toEqual([]);
  },
);

test.each(['minimal.yaml', 'media-site.yaml', 'behind-a-cdn.yaml', 'links.yaml', 'sharing.yaml'])(
  'the sample %s names its schema in the first line',
  (name) => {
    const [first] = readFileSync(join(samples, name), 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=./latchkey.schema.json');
  },
);

test('settings of sharing and a collection without owners go into a sample of links as they are', () => {
  const file: unknown = parse(readFileSync(join(samples, 'links.yaml'), 'utf8'));
  const added: unknown = parse(`
sharing: { invite: anyone, reshare_depth: 0, expires: 30d, request_window: 15m, resend: 1m, per_sender: 50/h, per_address: 10/h }
collections:
  - { name: hillside-door-cam, host: media.localhost, path: /cam/hillside/, methods: [GET] }
routes:
  - { name: cam, host: media.localhost, path: /cam/, upstream: media, accept: [member] }
`);
  writeFileSync(join(folder, 'both.yaml'), stringify(joined(file, added)));
  const loaded = loadConfig(join(folder, 'both.yaml'), () => undefined);
  expect(loaded.kind === 'invalid' ? formatProblems(loaded.problems) : loaded.warnings).toEqual([]);
  expect(
    loaded.kind === 'loaded' && loaded.config.collections.map(({ name, owners, methods }) => [name, owners, methods]),
  ).toEqual([
    ['summer', ['owner@example.org'], null],
    ['hillside-door-cam', [], ['GET', 'HEAD']],
  ]);
});

/** Two files as one: their lists behind each other. */
function joined(one: unknown, other: unknown): unknown {
  const whole = new Map<string, unknown>(Object.entries(Object(one)));
  for (const [key, value] of Object.entries(Object(other))) {
    const before = whole.get(key);
    whole.set(key, Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value);
  }
  return Object.fromEntries(whole);
}

test('the JSON Schema in config/ is current (write it anew with: latchkey check --schema > config/latchkey.schema.json)', () => {
  expect(readFileSync(join(samples, 'latchkey.schema.json'), 'utf8')).toBe(
    `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  );
});
