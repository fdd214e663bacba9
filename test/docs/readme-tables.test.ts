// The tables of README.md against the code: settings and defaults, metrics, commands, answers, links.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../gateway/config/load.ts';
import { configJsonSchema } from '../../gateway/config/schema/schema.ts';
import { parseDurationMs, parseSizeBytes } from '../../gateway/config/schema/values.ts';
import { denyReasons } from '../../gateway/core/decision/verdict/reasons.ts';
import { statusOfDenial } from '../../gateway/edge/answer/responder.ts';
import { RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { ConfigFolder, minimalYaml } from '../support/rigs/config-folder.ts';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';
import { betweenMarks, codeSpans, readmeText, section, tableRows } from '../support/run/readme.ts';
import { runHere } from '../support/run/run-here.ts';

const repository = join(import.meta.dirname, '../..');

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

/** Settings that have parts of their own, which the README names in one row. */
const wholes = new Set([
  'routes[].timeouts',
  'routes[].limits',
  'routes[].identity',
  'routes[].request.set',
  'routes[].response.set',
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
const rows = tableRows(betweenMarks('settings')).map(([name = '', fallback = '']) => ({
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

test('the custom identity of the page is one that loads', () => {
  const custom = /`identity: (\{ custom: .+? \} \})`/.exec(readmeText)?.[1] ?? '';
  const folder = new ConfigFolder();
  const yaml = minimalYaml.replace('accept: [token]', `accept: [token], identity: ${custom}`);
  expect(folder.config(yaml).routes[0]?.identity.preset).toBe('custom');
  folder.remove();
});

test('the table of answers has the status of every refusal', () => {
  const statuses = new Set(section('### Answers').match(/\b[2-5]\d\d\b/g));
  for (const reason of denyReasons) expect(statuses, reason).toContain(String(statusOfDenial(reason)));
});

test('every relative link of the page leads to a file or a heading', () => {
  const targets = [...readmeText.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target = '']) => target);
  const headings = [...readmeText.matchAll(/^#+ (.+)$/gm)].map(
    ([, text = '']) =>
      `#${text
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  );
  const missing = targets.filter((to) =>
    to.startsWith('#') ? !headings.includes(to) : !existsSync(join(repository, to)),
  );
  expect(missing).toEqual([]);
  expect(targets).toContain('config/flow.svg');
});

test('the picture of the flow can be read on light and on dark pages', () => {
  const svg = readFileSync(join(repository, 'config/flow.svg'), 'utf8');
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).toMatch(/<title[^>]*>.+<\/title>/);
});

test('every command of the table has help', async () => {
  const commands = tableRows(section('## Commands')).flatMap(([cell = '']) => codeSpans(cell));
  expect(commands.length).toBeGreaterThan(9);
  const firsts = [...new Set(commands.map((command) => command.split(' ')[0] ?? ''))];
  const groups = new Map<string, string>();
  for (const first of firsts) groups.set(first, (await runHere([first, '--help'])).stdout);
  for (const command of commands) {
    const [first = '', second = ''] = command.split(' ');
    const isGrouped = /^[a-z]+$/.test(second);
    const help = groups.get(first);
    expect(help).toContain(`Usage: latchkey ${first}`);
    if (isGrouped) expect(help).toMatch(new RegExp(`^  ${second} `, 'm'));
    else for (const option of command.match(/--[a-z-]+/g) ?? []) expect(help).toContain(option);
  }
});

test('the samples of the page are the ones that are in config/', () => {
  for (const name of ['minimal.yaml', 'media-site.yaml', 'behind-a-cdn.yaml', 'links.yaml']) {
    expect(readmeText).toContain(`config/${name}`);
    expect(loadConfig(join(repository, 'config', name), () => undefined, { files: 'skip' }).kind).toBe('loaded');
  }
});

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [{ name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] }],
    },
  });
});

afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});

const get = (target: string, fields: Record<string, string> = {}) =>
  fetch(`http://${gateway.host}:${gateway.port}${target}`, { headers: { 'user-agent': 'player', ...fields } });

test('the table of metrics names every metric that is there, and no other', async () => {
  const shown = tableRows(section('## Logs and metrics')).flatMap(([cell = '']) => codeSpans(cell));
  const there = [...(await gateway.scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  expect(there.length).toBeGreaterThan(20);
  expect(shown.toSorted()).toEqual(there.toSorted());
});

test('the table of playlists is true: what a player makes of the URLs opens, or is counted and hinted at', async () => {
  const token = gateway.mint({ paths: ['/vod/*'] });
  const statusOf = async (playlist: string, reference: string, fields = {}) => {
    const base = `http://site${playlist}`;
    expect((await get(playlist, fields)).status).toBe(200);
    return (await get(new URL(reference, base).href.slice('http://site'.length), fields)).status;
  };
  const shapes = [
    'segment-1.ts',
    '/vod/film/segment-1.ts',
    'http://site/vod/film/segment-1.ts',
    `segment-1.ts?token=${token}`,
  ];
  const verdicts = [];
  for (const shape of shapes) {
    verdicts.push([
      await statusOf(`/.t/${token}/vod/film/a.m3u8`, shape),
      await statusOf('/vod/film/a.m3u8', shape, { cookie: `latchkey_pass=${token}` }),
      await statusOf(`/vod/film/a.m3u8?token=${token}`, shape),
    ]);
  }
  const shown = tableRows(section('### Which playlists work')).map((cells) => cells.slice(1));
  const words = verdicts.map((row) => row.map((status) => (status === 200 ? 'yes' : 'no')));
  expect(shown.slice(0, shapes.length).map((row) => row.map((cell) => cell.replace(/:.*/, '')))).toEqual(words);
  // 401 where the token was lost, 400 where there are two of them
  expect(verdicts.map(([pathForm]) => pathForm)).toEqual([200, 401, 401, 400]);

  expect(await gateway.scrape()).toContain('latchkey_lost_tokens_total{route="vod"} 5');
  expect((await get('/vod/the-last')).status).toBe(401);
  const lines = (await gateway.readLog('access', '/vod/the-last')).filter((line) => line.path !== '/vod/the-last');
  expect(lines.filter((line) => typeof line.hint === 'string')).toHaveLength(5);
});
