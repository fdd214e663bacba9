// What a route may say about `Upgrade`, and the message for each mistake.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigFolder, yamlWithRoute } from '../../support/rigs/config-folder.ts';

let folder: ConfigFolder;
beforeAll(() => {
  folder = new ConfigFolder();
});
afterAll(() => folder.remove());

const route = 'path: /, accept: [token]';

test('off allows no protocol', () => {
  expect(folder.config(yamlWithRoute(`${route}, upgrade: off`)).routes[0]?.upgrade).toEqual([]);
});

test.each([
  ['upgrade: on', /upgrade/],
  ['upgrade: []', /upgrade/],
  ['upgrade: [web socket]', /"web socket" is not a protocol name \(write websocket/],
  ['upgrade: [h2c]', /"h2c" cannot be switched to \(requests inside it would reach the upstream without a decision\)/],
  ['upgrade: [websocket, HTTP/2.0]', /"HTTP\/2.0" cannot be switched to/],
  ['upgrade: [TLS/1.0]', /"TLS\/1.0" cannot be switched to/],
  ['websocket: { origins: ["*"] }', /"\*" is not an origin \(write https:\/\/app\.example\.org/],
  ['websocket: { origins: ["https://a.example/"] }', /is not an origin \(write https:\/\/a\.example\)/],
  ['websocket: { origins: ["https://a.example:443"] }', /is not an origin \(write https:\/\/a\.example\)/],
  ['websocket: { origins: ["https://u@a.example"] }', /is not an origin/],
  ['websocket: { origins: ["null"] }', /is not an origin/],
  ['websocket: { origins: ["wss://a.example"] }', /is not an origin/],
  ['websocket: { origin: ["https://a.example"] }', /unknown.*"?origin"?/],
])('%s is a problem with a hint', (fields, problem) => {
  const problems = folder.problems(yamlWithRoute(`${route}, ${fields}`));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(problem);
});
