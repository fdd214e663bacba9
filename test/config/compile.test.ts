// The parts of a Snapshot that depend on all routes together.

import { expect, test } from 'vitest';
import { longestTokenSeconds } from '../../gateway/config/compile.ts';
import { tokenKinds } from '../../gateway/core/token/token-kinds.ts';
import { ConfigFolder, minimalYaml } from '../support/rigs/config-folder.ts';

test('revocations are remembered for as long as a session token lives, however short the tokens of all routes are', () => {
  const folder = new ConfigFolder();
  const loaded = folder.load(minimalYaml.replace(/upstream: \w+/, '$&, max_token_ttl: 3m'));
  folder.remove();
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.config.routes.map((route) => route.maxTokenTtlSeconds)).toEqual([180]);
  expect(longestTokenSeconds(loaded.config)).toBe(tokenKinds.session.longestSeconds);
});
