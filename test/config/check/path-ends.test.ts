// Warnings about routes whose path has no slash at its end.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigFolder, minimalYaml } from '../../support/rigs/config-folder.ts';

let folder: ConfigFolder;
beforeEach(() => {
  folder = new ConfigFolder();
});
afterEach(() => folder.remove());

function warningsOf(routes: string): string[] {
  const yaml = minimalYaml.replace(/routes:[\s\S]*$/, `routes:\n${routes}`);
  const loaded = folder.load(yaml);
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return loaded.warnings.map(({ path, problem }) => `${path}: ${problem}`);
}

const route = (name: string, path: string, accept: string) =>
  `  - { name: ${name}, path: ${path}, upstream: web, accept: [${accept}] }\n`;

test('a path without a slash at its end is a warning, because the route covers nothing below it', () => {
  expect(warningsOf(route('vod', '/vod', 'token'))).toEqual([
    'routes[0].path: /vod covers this one path and nothing below it',
  ]);
  expect(warningsOf(route('vod', '/vod/', 'token') + route('film', '/film.mp4', 'token'))).toEqual([]);
  expect(warningsOf(route('vod', '/vod/', 'token') + route('bare', '/vod', 'token'))).toEqual([]);
});

test('a path whose other form (with or without a slash at its end) has a route with other rules is a warning', () => {
  const rest = route('all', '/', 'anyone');
  expect(warningsOf(route('admin', '/admin', 'token') + rest)).toEqual([
    'routes[0].path: /admin/ is of routes[1], which has other rules',
  ]);
  expect(warningsOf(route('admin', '/admin', 'token') + route('inside', '/admin/', 'anyone') + rest)).toEqual([
    'routes[0].path: /admin/ is of routes[1], which has other rules',
  ]);
  expect(warningsOf(route('panel', '/panel/', 'token') + rest)).toEqual([]);
  // an open page of a closed site is stopped nowhere
  const site = route('site', '/', 'token');
  expect(warningsOf(site + route('icon', '/favicon.ico', 'anyone'))).toEqual([]);
  expect(warningsOf(site + route('health', '/health', 'anyone'))).toEqual([
    'routes[1].path: /health covers this one path and nothing below it',
  ]);
  // a limit would be passed by with a slash, so that is stopped
  const limited = route('login', '/login', 'anyone').replace(' }', ', rate_limit: { by: address, rate: 5/m } }');
  expect(warningsOf(route('site', '/', 'anyone') + limited)).toEqual([
    'routes[1].path: /login/ is of routes[0], which has other rules',
  ]);
});
