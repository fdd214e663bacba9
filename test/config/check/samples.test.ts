// The samples that users copy load as they stand, and the JSON Schema beside them is the one the code makes.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

test.each(['minimal.yaml', 'media-site.yaml', 'behind-a-cdn.yaml', 'links.yaml'])(
  'the sample %s loads once the files it names exist',
  (name) => {
    cpSync(join(samples, name), join(folder, name));
    writeFileSync(join(folder, 'k1.secret'), 's'.repeat(48), { mode: 0o600 });
    writeFileSync(join(folder, 'users'), '', { mode: 0o600 });
    const loaded = loadConfig(join(folder, name), () => undefined);
    expect(loaded.kind === 'invalid' ? formatProblems(loaded.problems) : loaded.warnings).toEqual([]);
  },
);

test.each(['minimal.yaml', 'media-site.yaml', 'behind-a-cdn.yaml', 'links.yaml'])(
  'the sample %s names its schema in the first line',
  (name) => {
    const [first] = readFileSync(join(samples, name), 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=./latchkey.schema.json');
  },
);

test('the JSON Schema in config/ is current (write it anew with: latchkey check --schema > config/latchkey.schema.json)', () => {
  expect(readFileSync(join(samples, 'latchkey.schema.json'), 'utf8')).toBe(
    `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  );
});
