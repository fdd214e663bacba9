// Names in several spellings, in tokens: the gateway's answers, and those of the verifier that gateway/core/token/README.md shows for other servers.

import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { nameVectors } from '../../support/path-names.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { gatewaySecret, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';
import { markedBlock } from '../../support/run/pages.ts';
import { runCommand } from '../../support/run/run-command.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'vod', path: '/vod/', upstream: 'web', accept: ['token'] }],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** A token by somebody else under the common key: latchkey itself would not make some of them. */
async function tokensOf(patterns: readonly string[]): Promise<Map<string, string>> {
  const { SignJWT } = await import('jose');
  const tokens = new Map<string, string>();
  for (const pattern of patterns) {
    const claims = { sub: 'anna', paths: [pattern], exp: Math.floor(Date.now() / 1000) + 300 };
    tokens.set(pattern, await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(gatewaySecret));
  }
  return tokens;
}

test('the gateway opens every spelling of a name, and no other name', async () => {
  const tokens = await tokensOf(nameVectors.map(({ pattern }) => pattern));
  const answers: string[] = [];
  const client = await RawClient.connect(gateway.port);
  for (const { pattern, target, opens } of nameVectors) {
    // encoded twice to who decodes twice: no route of this gateway takes it
    if (/%25[0-9a-f]{2}/i.test(target)) continue;
    client.write(requestText('GET', target, [`Authorization: Bearer ${tokens.get(pattern)}`]));
    const { status } = await client.read();
    if ((status === 200) !== opens) answers.push(`${pattern} on ${target}: ${status}`);
  }
  client.destroy();
  expect(answers).toEqual([]);
});

test('the verifier on the page about tokens gives the same answers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-names-'));
  try {
    symlinkSync(join(import.meta.dirname, '../../../node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'k1.secret'), gatewaySecret);
    writeFileSync(join(folder, 'tokens.mjs'), markedBlock('token library'));
    const tokens = await tokensOf(nameVectors.map(({ pattern }) => pattern));
    const asked = nameVectors.map(({ pattern, target }) => [tokens.get(pattern), decodeURIComponent(target)]);
    writeFileSync(join(folder, 'asked.json'), JSON.stringify(asked));
    writeFileSync(
      join(folder, 'use.mjs'),
      `import { readFileSync } from 'node:fs';
import { opens } from './tokens.mjs';
const answers = [];
for (const [token, path] of JSON.parse(readFileSync('asked.json', 'utf8'))) answers.push(await opens(token, path));
console.log(JSON.stringify(answers));`,
    );
    const ran = await runCommand(process.execPath, [join(folder, 'use.mjs')], { cwd: folder });
    expect(ran.stderr).toBe('');
    const answers: unknown[] = JSON.parse(ran.stdout);
    const wrong = nameVectors.filter(({ opens }, index) => answers[index] !== opens);
    expect(wrong).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
