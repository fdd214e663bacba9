// config/README.md against the configuration's schema: every setting, its default, and the examples that are parts of a file.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../gateway/config/load.ts';
import { configJsonSchema } from '../../gateway/config/schema/schema.ts';
import { parseDurationMs, parseSizeBytes } from '../../gateway/config/schema/values.ts';
import { ConfigFolder, minimalYaml } from '../support/rigs/config-folder.ts';
import { betweenMarks, codeSpans, markedBlocks, readPage, repository, tableRows } from '../support/run/pages.ts';

interface Schema {
  readonly type?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

interface Setting {
  readonly name: string;
  readonly required: boolean;
  readonly default: unknown;
}

/** Settings that have parts of their own, which the page names in one row. */
const wholes = new Set([
  'routes[].timeouts',
  'routes[].limits',
  'routes[].identity',
  'routes[].request.set',
  'routes[].response.set',
  'telemetry.otlp.headers',
]);

function settingsOf(schema: Schema, name = ''): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, part]) => {
    const path = name === '' ? key : `${name}.${key}`;
    const required = schema.required?.includes(key) ?? false;
    if (wholes.has(path)) return [{ name: path, required, default: undefined }];
    if (part.properties !== undefined) return settingsOf(part, path);
    if (part.items?.properties !== undefined) return settingsOf(part.items, `${path}[]`);
    if (typeof part.additionalProperties === 'object') return settingsOf(part.additionalProperties, `${path}.NAME`);
    return [{ name: path, required, default: part.default }];
  });
}

// The schema's own type says nothing about its shape; the test fails when it is another one.
const schema = configJsonSchema() as Schema;
const rows = tableRows(betweenMarks('config/README.md', 'settings')).map(([name = '', fallback = '']) => ({
  name: codeSpans(name)[0] ?? '',
  fallback,
}));

test('the table of settings names every setting of the schema, and no other', () => {
  expect(rows.map((row) => row.name).toSorted()).toEqual(
    settingsOf(schema)
      .map((setting) => setting.name)
      .toSorted(),
  );
});

test('the table of settings gives the defaults of the schema, and says what is required', () => {
  const shown = new Map(rows.map((row) => [row.name, row.fallback]));
  for (const setting of settingsOf(schema)) {
    const cell = shown.get(setting.name) ?? '';
    if (setting.required) expect([setting.name, cell]).toEqual([setting.name, 'required']);
    else expect(cell, setting.name).not.toBe('required');
    const isPlain = ['string', 'number', 'boolean'].includes(typeof setting.default);
    if (isPlain) expect([setting.name, cell]).toEqual([setting.name, `\`${setting.default}\``]);
  }
});

test('a file that leaves everything out gets the timeouts and limits of the table', () => {
  const folder = new ConfigFolder();
  const loaded = folder.config(minimalYaml);
  folder.remove();
  const fallbackOf = (name: string) => codeSpans(rows.find((row) => row.name === name)?.fallback ?? '')[0] ?? '';
  const ms = (name: string) => parseDurationMs(fallbackOf(name));
  expect(loaded.routes[0]?.timeouts).toEqual({
    requestBodyIdleMs: ms('timeouts.request_body_idle'),
    upstreamConnectMs: ms('timeouts.upstream_connect'),
    upstreamFirstByteMs: ms('timeouts.upstream_first_byte'),
    upstreamIdleMs: ms('timeouts.upstream_idle'),
    clientWriteIdleMs: ms('timeouts.client_write_idle'),
    tunnelIdleMs: ms('timeouts.tunnel_idle'),
  });
  expect(loaded.routes[0]?.limits.maxBodyBytes).toBe(parseSizeBytes(fallbackOf('limits.max_body')));
  expect(loaded.routes[0]?.limits.minRequestRate).toBe(parseSizeBytes(fallbackOf('limits.min_request_rate')));
  expect(loaded.routes[0]?.limits.minResponseRate).toBe(parseSizeBytes(fallbackOf('limits.min_response_rate')));
  expect(loaded.limits.drainMs).toBe(ms('limits.drain_timeout'));
  expect(loaded.decisionCache.bytes).toBe(parseSizeBytes('64MiB'));
});

test('the custom identity of gateway/edge/README.md is one that loads', () => {
  const custom = /`identity: (\{ custom: .+? \} \})`/.exec(readPage('gateway/edge/README.md'))?.[1] ?? '';
  const folder = new ConfigFolder();
  const yaml = minimalYaml.replace('accept: [token]', `accept: [token], identity: ${custom}`);
  expect(folder.config(yaml).routes[0]?.identity.preset).toBe('custom');
  folder.remove();
});

test('the samples that the README names are in config/ and load', () => {
  for (const name of ['minimal.yaml', 'media-site.yaml', 'behind-a-cdn.yaml', 'links.yaml', 'sharing.yaml']) {
    expect(readPage('README.md')).toContain(`config/${name}`);
    expect(loadConfig(join(repository, 'config', name), () => undefined, { files: 'skip' }).kind).toBe('loaded');
  }
});

/** What an example that is a part of a file leaves out. */
const rest = {
  listeners: [{ address: '127.0.0.1:8080' }],
  routes: [{ name: 'web', path: '/', upstream: 'web', accept: ['anyone'] }],
  upstreams: { web: { servers: ['http://127.0.0.1:9001'] }, media: { servers: ['http://127.0.0.1:9000'] } },
};

for (const [index, block] of markedBlocks().entries()) {
  if (block.mark !== 'part') continue;
  test(`${block.page}: the part of a file in block ${index} loads beside the rest of one`, () => {
    const folder = new ConfigFolder();
    const part: Record<string, unknown> = parse(block.text);
    const upstreams = { ...rest.upstreams, ...(part.upstreams ?? {}) };
    // the files that an example names are the reader's to bring
    const problems = folder.problems(stringify({ ...rest, ...part, upstreams }));
    folder.remove();
    expect(problems.filter((problem) => !problem.includes('does not exist'))).toEqual([]);
  });
}
