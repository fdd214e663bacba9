// Whatever a file says, the loader answers with a configuration or with problems, and each problem has a text and a place.

import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig } from '../../../gateway/config/load.ts';
import { fileSchema } from '../../../gateway/config/schema/schema.ts';
import { ConfigFolder } from '../../support/rigs/config-folder.ts';

const folder = new ConfigFolder();
afterAll(() => folder.remove());

const words = [
  'token',
  'anyone',
  'web',
  '/',
  '/vod/',
  '127.0.0.1:8080',
  'http://127.0.0.1:9000',
  '15m',
  '64KiB',
  '$' + '{HOME}',
  'a',
  '',
];
const keys = [
  ...Object.keys(fileSchema.shape),
  'name',
  'path',
  'upstream',
  'accept',
  'address',
  'servers',
  'identity',
  'custom',
  'host',
  'id',
];
const { document } = fc.letrec((tie) => ({
  leaf: fc.oneof(fc.constantFrom(...words), fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double()),
  list: fc.array(tie('value'), { maxLength: 3 }),
  mapping: fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), tie('value'), { maxKeys: 6 }),
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('list'), tie('mapping')),
  document: fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 12 }),
}));

test('no document makes the loader throw or stay silent', () => {
  fc.assert(
    fc.property(document, (value) => {
      writeFileSync(folder.file('any.yaml'), stringify(value));
      const loaded = loadConfig(folder.file('any.yaml'), () => undefined);
      if (loaded.kind === 'loaded') return;
      expect(loaded.problems.length).toBeGreaterThan(0);
      for (const { problem } of loaded.problems) expect(problem).not.toBe('');
    }),
    { numRuns: 500 },
  );
});

test('no text makes the loader throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      writeFileSync(folder.file('any.yaml'), text);
      expect(loadConfig(folder.file('any.yaml'), () => undefined).kind).toBe('invalid');
    }),
    { numRuns: 500 },
  );
});
