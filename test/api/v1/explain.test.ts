// `explain` over v1: the operator gets the explanation, and nobody else does.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createOperatorServer } from '../../../gateway/api/operator-server.ts';
import { explainEndpoints } from '../../../gateway/api/v1/explain.ts';
import { openDecisionFiles } from '../../../gateway/control/explain/decision-files.ts';
import { claimLink } from '../../../gateway/control/links/claim-link.ts';
import { addAccount, makeLink, makeLinkRig } from '../../support/rigs/link-rig.ts';

test('the operator reads why a request was let in; only administrators may ask at the portal', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-explain-api-'));
  const rig = await makeLinkRig('sqlite');
  const { clock, logger } = rig.context;
  const decisions = openDecisionFiles({ folder, clock, logger });
  const context = { ...rig.context, decisions };
  const server = createOperatorServer(context);
  onTestFinished(async () => {
    await server.close();
    await decisions.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const visitor = await addAccount(rig, { email: 'mina@example.org' });
  const made = await makeLink(rig);
  await claimLink(context, visitor, made.presentation, 'request-1');

  const found = await server.inject({ method: 'GET', url: '/v1/explain/request-1' });
  expect(found.statusCode).toBe(200);
  const explained = found.json();
  expect(explained).toMatchObject({ request: 'request-1', records: [{ outcome: 'claim', reason: 'granted' }] });
  const texts: string[] = explained.chain.map(({ text }: { text: string }) => text);
  expect(texts).toContain('is the account bound to this link already? no');
  expect(found.body).not.toContain(made.presentation.token);

  const missing = await server.inject({ method: 'GET', url: '/v1/explain/request-2' });
  expect([missing.statusCode, missing.json().reason]).toEqual([404, 'unknown']);
  expect(explainEndpoints.map(({ who }) => who)).toEqual(['admin']);
});
