// TLS over real processes: sessions that one edge began and another edge resumes, a reload with a broken certificate, and the renewal
// of gateway/cli/README.md "Certificates".

import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestText } from '../support/clients/raw-client.ts';
import { connectTls } from '../support/clients/tls-client.ts';
import { RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { CertificateFolder } from '../support/rigs/certificate-folder.ts';
import { type ServeProcess, startServe } from '../support/rigs/serve-process.ts';
import { markedBlock } from '../support/run/pages.ts';
import { runCommand } from '../support/run/run-command.ts';

let certificates: CertificateFolder;
let upstream: RecordingUpstream;
let serve: ServeProcess;
let current: { certFile: string; keyFile: string };

beforeAll(async () => {
  certificates = new CertificateFolder();
  upstream = await RecordingUpstream.start();
  const first = certificates.issue({ names: ['first.test'] });
  current = { certFile: join(certificates.path, 'fullchain.pem'), keyFile: join(certificates.path, 'privkey.pem') };
  copyFileSync(first.certFile, current.certFile);
  copyFileSync(first.keyFile, current.keyFile);
  serve = await startServe({
    config: {
      edges: 2,
      listeners: [
        { address: '127.0.0.1:0', tls: { certificates: [{ cert_file: current.certFile, key_file: current.keyFile }] } },
      ],
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'open', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
});

afterAll(async () => {
  await serve?.dispose();
  await upstream?.close();
  certificates?.remove();
});

test('a TLS session that one edge began is resumed by all edges', async () => {
  const first = await connectTls(serve.port);
  first.client.write(requestText('GET', '/'));
  await first.client.read();
  const session = await first.session();
  first.client.destroy();
  // all open at once, so that no edge takes them all
  const resumed = await Promise.all(Array.from({ length: 16 }, () => connectTls(serve.port, { session })));
  expect(resumed.map(({ isResumed }) => isResumed)).toEqual(Array.from({ length: 16 }, () => true));
  for (const { client } of resumed) client.destroy();
});

/** Names of the certificate that a new connection gets. */
async function namesNow(): Promise<string> {
  const { client, names } = await connectTls(serve.port);
  client.destroy();
  return names;
}

test('a broken certificate changes nothing and is reported; a good certificate is taken', async () => {
  const second = certificates.issue({ names: ['second.test'] });
  writeFileSync(current.certFile, second.cert);
  serve.child.kill('SIGHUP');
  await expect.poll(serve.printed).toContain('is not the key of');
  expect(await namesNow()).toBe('DNS:first.test');
  copyFileSync(second.keyFile, current.keyFile);
  serve.child.kill('SIGHUP');
  await expect.poll(namesNow).toBe('DNS:second.test');
  expect(serve.printed()).not.toContain(second.key.split('\n')[1]);
});

test('the deploy hook of the page puts a renewed certificate and its key in place, without a restart', async () => {
  const third = certificates.issue({ names: ['third.test'] });
  const lineage = join(certificates.path, 'live');
  mkdirSync(lineage);
  copyFileSync(third.certFile, join(lineage, 'fullchain.pem'));
  copyFileSync(third.keyFile, join(lineage, 'privkey.pem'));
  const { uid, gid } = userInfo();
  const hook = [
    ['-o latchkey -g latchkey', `-o ${uid} -g ${gid}`],
    ['/etc/latchkey/tls', certificates.path],
    ['systemctl reload latchkey', `kill -HUP ${serve.child.pid}`],
  ].reduce((text, [from = '', to = '']) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, markedBlock('hook'));
  const ran = await runCommand('env', [`RENEWED_LINEAGE=${lineage}`, 'sh', '-euc', hook]);
  expect(ran.code, ran.stderr).toBe(0);
  await expect.poll(namesNow).toBe('DNS:third.test');
  expect(statSync(current.keyFile).mode & 0o777).toBe(0o600);
});
