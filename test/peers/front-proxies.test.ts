// From an empty folder to an app with sign-in behind a proxy that ends TLS, as config/app.yaml says it: its own commands, and the proxies of
// config/peers word for word but for ports and certificates. The visitor is curl.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFreePort, type RunningProcess, settle, startProcess, waitForPort } from '../../bench/measure/processes.ts';
import { findProgram } from '../../bench/measure/programs.ts';
import { type DemoUpstream, listenOnLoopback } from '../../gateway/cli/demo/demo-upstream.ts';
import { peerFile } from '../support/peers/peer-rig.ts';
import { CertificateFolder } from '../support/rigs/certificate-folder.ts';
import { repository } from '../support/run/package-copy.ts';
import { runCommand } from '../support/run/run-command.ts';
import { runHere } from '../support/run/run-here.ts';

const sample = readFileSync(join(repository, 'config', 'app.yaml'), 'utf8');
const [nginx = null, caddy = null, curl = null] = ['nginx', 'caddy', 'curl'].map(findProgram);
const canRun = curl !== null && (nginx !== null || caddy !== null);
/** Says which peers are not there, each by its name. */
const absent = (peers: Record<string, string | null>) =>
  `not installed: ${Object.keys(peers)
    .filter((name) => peers[name] === null)
    .join(', ')}`;

const appUrl = 'https://app.example.org/';
const folder = mkdtempSync(join(tmpdir(), 'lk-app-'));
const configFile = join(folder, 'app.yaml');
const started: RunningProcess[] = [];
let certificates: CertificateFolder;
let app: DemoUpstream;
let gatewayPort = 0;

beforeAll(async () => {
  if (!canRun) return;
  certificates = new CertificateFolder();
  // the app: says who it believes to speak with, and how the visitor came
  app = await listenOnLoopback(
    createServer(({ headers }, response) => {
      const said = ['remote-email', 'remote-user', 'x-forwarded-proto', 'x-forwarded-for', 'cookie'];
      response.end(JSON.stringify(Object.fromEntries(said.map((name) => [name, headers[name] ?? null]))));
    }),
  );
  gatewayPort = await findFreePort();
  const text = [
    ['127.0.0.1:8080', `127.0.0.1:${gatewayPort}`],
    ['127.0.0.1:9180', '127.0.0.1:0'],
    ['127.0.0.1:9000', `127.0.0.1:${app.port}`],
    ['smtp: "smtp://127.0.0.1:1025"', 'log: ./mails'],
  ].reduce((before, [from = '', to = '']) => {
    expect(before).toContain(from);
    return before.replaceAll(from, to);
  }, sample);
  writeFileSync(configFile, text);
  const checked = await runHere(['check', configFile]);
  expect(checked.code, checked.stderr).toBe(0);
  const main = join(repository, 'gateway', 'main.ts');
  await start([process.execPath, main, 'serve', '--config', configFile], gatewayPort);
  await runSampleCommand('account add');
}, 60_000);

afterAll(async () => {
  for (const running of started.reverse()) await running.stop();
  await app?.close();
  certificates?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function start(command: readonly string[], port: number): Promise<void> {
  const running = startProcess(command, { folder });
  started.push(running);
  await settle(running, waitForPort(port, running, 15_000));
}

/** Runs the command of the sample's head that begins so. @returns what it printed */
async function runSampleCommand(beginning: string): Promise<string> {
  const line = sample.match(new RegExp(`^#   latchkey (${beginning}[^#\n]*)`, 'm'))?.[1] ?? '';
  const ran = await runHere(line.trim().replace('config/app.yaml', configFile).split(' '));
  expect(ran.code, `${line}: ${ran.stderr}`).toBe(0);
  return ran.stdout;
}

/** A browser of its own: cookies in a jar, redirects followed, the authority believed, every name led to the proxy. */
function visitor(port: number, name: string) {
  const jar = join(folder, name);
  return async (url: string, ...options: string[]): Promise<{ status: number; url: URL; body: string }> => {
    const ran = await runCommand('curl', [
      ...['-sL', '-b', jar, '-c', jar, '--cacert', certificates.authorityFile, '--connect-to', `::127.0.0.1:${port}`],
      ...['-H', 'Accept: text/html', '-w', '\n%{http_code} %{url_effective}', ...options, url],
    ]);
    expect(ran.code, url + ran.stderr).toBe(0);
    const at = ran.stdout.lastIndexOf('\n');
    const [status = '', landed = ''] = ran.stdout.slice(at + 1).split(' ');
    return { status: Number(status), url: new URL(landed), body: ran.stdout.slice(0, at) };
  };
}

/** Sends the main form of a page. */
function sendForm(ask: ReturnType<typeof visitor>, { url, body }: { readonly url: URL; readonly body: string }) {
  const main = body.slice(body.indexOf('<main'));
  const [, action = ''] = /method="post" action="([^"]+)"/.exec(main) ?? [];
  const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(main) ?? [];
  const target = new URL(action.replaceAll('&amp;', '&'), url).href;
  return ask(target, '--data-urlencode', `form_token=${token}`, '-H', `Origin: ${url.origin}`);
}

/** What a person does behind either proxy. */
async function playThrough(port: number, name: string): Promise<void> {
  const ask = visitor(port, name);
  const before = await ask(appUrl);
  expect(before.url.href).toMatch(/^https:\/\/portal\.example\.org\/\.latchkey\/login\?/);

  const link = (await runSampleCommand('account sign-in-link')).match(/https:\S+/)?.[0] ?? '';
  expect(link).toContain('https://portal.example.org/');
  await sendForm(ask, await ask(link));
  const inside = await ask(appUrl, '-H', 'Remote-Email: mallory@example.org', '-H', 'X-Forwarded-For: 203.0.113.9');
  expect(inside.url.href).toBe(appUrl);
  expect(JSON.parse(inside.body)).toMatchObject({
    'remote-email': 'owner@example.org',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '127.0.0.1, 127.0.0.1',
    cookie: null,
  });
  expect(readFileSync(join(folder, name), 'utf8')).toMatch(
    /^#HttpOnly_app\.example\.org\tFALSE\t\/\tTRUE\t\d+\t__Host-latchkey\t/m,
  );
  // nobody is at the portal's host but latchkey
  expect((await ask('https://portal.example.org/')).body).not.toContain('remote-email');

  const leaving = await ask(`${appUrl}.latchkey/logout`);
  await sendForm(ask, leaving);
  expect((await ask(appUrl)).url.pathname).toBe('/.latchkey/login');
}

const names = { names: ['portal.example.org', 'app.example.org'] };

describe('an app with sign-in, from config/app.yaml', () => {
  test('behind nginx: sign-in, the name in a header, sign-out', async (context) => {
    if (nginx === null || curl === null) return context.skip(absent({ nginx, curl }));
    const { certFile, keyFile } = certificates.issue(names);
    const [port, plain] = [await findFreePort(), await findFreePort()];
    const file = join(folder, 'nginx.conf');
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (path) => `${path}_temp_path ${join(folder, path)};`,
    );
    writeFileSync(
      file,
      `daemon off; pid ${join(folder, 'nginx.pid')};\n${peerFile('nginx-tls.conf', {
        'worker_processes auto;': 'worker_processes 1;',
        'access_log off;': `access_log off; ${paths.join(' ')}`,
        '127.0.0.1:8080': `127.0.0.1:${gatewayPort}`,
        'listen 443': `listen 127.0.0.1:${port}`,
        'listen 80;': `listen 127.0.0.1:${plain};`,
        '/etc/ssl/example.org.pem': certFile,
        '/etc/ssl/example.org.key': keyFile,
      })}`,
    );
    await start([nginx, '-e', 'stderr', '-c', file], port);
    await playThrough(port, 'nginx.jar');

    const redirect = await runCommand('curl', [
      ...['-s', '-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', '-H', 'Host: app.example.org'],
      `http://127.0.0.1:${plain}/a?b=1`,
    ]);
    expect(redirect.stdout).toBe('308 https://app.example.org/a?b=1');
  }, 60_000);

  test('behind Caddy: the same', async (context) => {
    if (caddy === null || curl === null) return context.skip(absent({ caddy, curl }));
    const { certFile, keyFile } = certificates.issue(names);
    const port = await findFreePort();
    const file = join(folder, 'Caddyfile');
    writeFileSync(
      file,
      peerFile('Caddyfile', {
        'admin off': `admin off\n\tauto_https disable_redirects\n\thttps_port ${port}\n\tskip_install_trust`,
        'app.example.org {': `app.example.org {\n\tbind 127.0.0.1\n\ttls ${certFile} ${keyFile}`,
        '127.0.0.1:8080': `127.0.0.1:${gatewayPort}`,
      }),
    );
    await start([caddy, 'run', '--adapter', 'caddyfile', '--config', file], port);
    await playThrough(port, 'caddy.jar');
  }, 60_000);
});
