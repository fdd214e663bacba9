// config/compose.yaml without a container engine: it holds what the Dockerfile and latchkey's own schema ask for. `docker compose config` reads
// it where Docker is installed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../gateway/config/load.ts';
import { formatProblems } from '../../gateway/config/problems/format.ts';
import { repository } from '../support/run/package-copy.ts';
import { runCommand } from '../support/run/run-command.ts';

const file = join(repository, 'config', 'compose.yaml');
const dockerfile = readFileSync(join(repository, 'Dockerfile'), 'utf8');
const service = z.looseObject({
  build: z.object({ context: z.string() }).optional(),
  image: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
});
const compose = z
  .strictObject({
    services: z.record(z.string(), service),
    configs: z.record(z.string(), z.object({ content: z.string() })),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(parse(readFileSync(file, 'utf8')));
const { latchkey, postgres, mail } = compose.services;

const folder = mkdtempSync(join(tmpdir(), 'latchkey-compose-'));

beforeAll(() => vi.stubEnv('DATABASE_PASSWORD', 'change-me'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('the configuration in it holds, and leads to the services beside it', () => {
  const text = (compose.configs.latchkey?.content ?? '').replaceAll('$$', '$');
  const config = join(folder, 'latchkey.yaml');
  writeFileSync(config, text);
  const loaded = loadConfig(config, (name) => (name === 'DATABASE_PASSWORD' ? 'change-me' : undefined));
  expect(loaded.kind === 'invalid' ? formatProblems(loaded.problems) : '').toBe('');
  for (const name of ['postgres', 'mail', 'app']) {
    expect(Object.keys(compose.services)).toContain(name);
    expect(text, name).toMatch(new RegExp(`[@/]${name}[:/]`));
  }
});

test('paths and ports are those of the Dockerfile', () => {
  expect(latchkey?.build).toEqual({ context: '..' });
  const [, configPath = ''] = /"--config", "([^"]+)"/.exec(dockerfile) ?? [];
  expect(latchkey?.configs).toEqual([{ source: 'latchkey', target: configPath }]);
  const [, volume = ''] = /^VOLUME (\S+)$/m.exec(dockerfile) ?? [];
  expect(latchkey?.volumes).toEqual([`latchkey-data:${volume}`]);
  const [, port = ''] = /^EXPOSE (\d+)$/m.exec(dockerfile) ?? [];
  expect(latchkey?.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  const [, operations = ''] = /OPERATIONS=http:\/\/(\S+)/.exec(dockerfile) ?? [];
  expect(compose.configs.latchkey?.content).toContain(`operations: { address: "${operations}" }`);
});

test('it runs with nothing to write to but its volume, without capabilities and without core dumps', () => {
  expect(latchkey).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ulimits: { core: 0 },
  });
});

test('it waits for a database that says it is ready, and both sides have the same password', () => {
  expect(latchkey?.depends_on.postgres).toEqual({ condition: 'service_healthy' });
  expect(postgres?.healthcheck?.test.join(' ')).toContain('pg_isready');
  expect(latchkey?.environment.DATABASE_PASSWORD).toBe(postgres?.environment.POSTGRES_PASSWORD);
});

test('every volume is declared, and nothing but latchkey and the page with the mails is reached from outside', () => {
  const named = Object.values(compose.services).flatMap(({ volumes }) => volumes.map((text) => text.split(':')[0]));
  expect(new Set(named)).toEqual(new Set(Object.keys(compose.volumes)));
  expect(mail?.ports).toEqual(['127.0.0.1:8025:8025']);
  expect([postgres?.ports, compose.services.app?.ports]).toEqual([[], []]);
});

test('Docker reads it', async (context) => {
  const plugin = await runCommand('docker', ['compose', 'version']).catch(() => null);
  if (plugin?.code !== 0) return context.skip('docker compose is not installed');
  const ran = await runCommand('docker', ['compose', '-f', file, 'config', '--quiet']);
  expect([ran.code, ran.stderr]).toEqual([0, '']);
});
