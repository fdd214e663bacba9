// TLS over real processes: sessions that one edge began and another edge resumes, and a reload with a broken certificate.

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestText } from '../support/clients/raw-client.ts';
import { connectTls } from '../support/clients/tls-client.ts';
import { RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { CertificateFolder } from '../support/rigs/certificate-folder.ts';
import { type ServeProcess, startServe } from '../support/rigs/serve-process.ts';

let certificates: CertificateFolder;
let upstream: RecordingUpstream;
let serve: ServeProcess;
let current: { certFile: string; keyFile: string };

beforeAll(async () => {
  certificates = new CertificateFolder();
  upstream = await RecordingUpstream.start();
  const first = certificates.issue({ names: ['first.test'] });
  current = { certFile: join(certificates.path, 'current.pem'), keyFile: join(certificates.path, 'current.key') };
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

test('a broken certificate changes nothing and is reported; a good certificate is taken', async () => {
  const second = certificates.issue({ names: ['second.test'] });
  const namesNow = async () => {
    const { client, names } = await connectTls(serve.port);
    client.destroy();
    return names;
  };
  writeFileSync(current.certFile, second.cert);
  serve.child.kill('SIGHUP');
  await expect.poll(serve.printed).toContain('is not the key of');
  expect(await namesNow()).toBe('DNS:first.test');
  copyFileSync(second.keyFile, current.keyFile);
  serve.child.kill('SIGHUP');
  await expect.poll(namesNow).toBe('DNS:second.test');
  expect(serve.printed()).not.toContain(second.key.split('\n')[1]);
});
