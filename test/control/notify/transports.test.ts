// The transports, each against a real receiver: SMTP with refusals and TLS, a webhook that checks signatures, a file.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MailTransportConfig } from '../../../gateway/config/compiled/control-config.ts';
import { readSmtpUrl, type SmtpServer } from '../../../gateway/config/schema/smtp-url.ts';
import { openConfiguredTransport } from '../../../gateway/control/notify/configured-transport.ts';
import { openSmtpTransport } from '../../../gateway/control/notify/smtp-transport.ts';
import type { DeliveryOutcome, OutgoingMessage } from '../../../gateway/control/notify/transport.ts';
import { closedPort, startBareSmtp, startSmtp } from '../../support/peers/smtp.ts';
import { TestAuthority } from '../../support/rigs/certificates.ts';
import { sender } from './outbox-rig.ts';

const message: OutgoingMessage = {
  id: 'ms_0123456789abcdefABCDEF',
  kind: 'sign-in-link',
  to: 'mina@example.org',
  subject: 'Grüße 🔑 from us',
  text: 'Open:\nhttps://portal.example.org/x?code=sesame\n\n.\n.. a line of dots\n',
  html: '<p>Öffnen</p>',
  createdAt: 1_800_000_000,
};

const closing: (() => Promise<unknown>)[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-mail-'));
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(folder, { recursive: true, force: true });
});

function send(
  server: Partial<SmtpServer>,
  ms = 5000,
  changes: Partial<OutgoingMessage> = {},
): Promise<DeliveryOutcome> {
  const whole = { host: '127.0.0.1', port: 1, tls: 'none', user: '', password: '', ...server } as const;
  return openSmtpTransport({ from: sender, server: whole }).deliver(
    { ...message, ...changes },
    AbortSignal.timeout(ms),
  );
}

async function sendBy(transport: MailTransportConfig, ms = 5000): Promise<DeliveryOutcome> {
  const mail = { from: 'Hillside Media <keys@example.org>', transport };
  const clock = { epochSeconds: () => 1_800_000_060 };
  const way = openConfiguredTransport({ config: () => ({ mail }), clock });
  const outcome = await way.deliver(message, AbortSignal.timeout(ms));
  await way.close();
  return outcome;
}

describe('SMTP', () => {
  test('a mail arrives whole, with non-ASCII letters, lines that begin with dots, date and id', async () => {
    const smtp = await startSmtp();
    closing.push(smtp.close);
    expect(await sendBy({ kind: 'smtp', url: `smtp://127.0.0.1:${smtp.port}` })).toEqual({ kind: 'delivered' });
    const [mail] = smtp.received;
    expect(mail?.header('subject')).toBe(message.subject);
    expect(mail?.text.replaceAll('\r\n', '\n').trimEnd()).toBe(message.text.trimEnd());
    expect(mail?.html).toContain('Öffnen');
    expect(mail?.header('message-id')).toBe('<ms_0123456789abcdefABCDEF@example.org>');
    expect(new Date(mail?.header('date') ?? '').getTime()).toBe(1_800_000_000_000);
    for (const name of ['from', 'to', 'subject', 'date', 'message-id']) expect(mail?.count(name)).toBe(1);
  });

  test('a subject or a name with line ends starts no header', async () => {
    const smtp = await startSmtp();
    closing.push(smtp.close);
    await send({ port: smtp.port }, 5000, { subject: 'a\r\nBcc: all@example.org\r\n\r\nbody' });
    const [mail] = smtp.received;
    expect(mail?.count('bcc')).toBe(0);
    expect(mail?.to).toEqual(['mina@example.org']);
  });

  test('user and password are sent, and a wrong password is a failure that may be tried again', async () => {
    const smtp = await startSmtp({ user: { name: 'us er', password: 'p@ss:word%' } });
    closing.push(smtp.close);
    const url = (password: string): string => `smtp://us%20er:${password}@127.0.0.1:${smtp.port}`;
    expect(await sendBy({ kind: 'smtp', url: url('p%40ss%3Aword%25') })).toEqual({ kind: 'delivered' });
    expect(smtp.received[0]?.user).toBe('us er');
    const refused = await sendBy({ kind: 'smtp', url: url('wrong') });
    expect(refused).toMatchObject({ kind: 'failed', isFinal: false });
    expect(JSON.stringify(refused)).toContain('535');
  });

  test('nothing is sent, not even the password, to a server without TLS where TLS is required', async () => {
    const smtp = await startSmtp({ user: { name: 'u', password: 'p' } });
    const said: string[] = [];
    const spy = await startBareSmtp('220 hello\r\n', (line, socket) => {
      said.push(line);
      socket.write('250 fine\r\n');
    });
    closing.push(smtp.close, spy.close);
    for (const port of [smtp.port, spy.port]) {
      const outcome = await send({ port, tls: 'required', user: 'u', password: 'p' });
      expect(outcome).toMatchObject({ kind: 'failed', isFinal: false });
    }
    expect(smtp.attempts()).toBe(0);
    expect(said.join('\n')).not.toMatch(/AUTH|MAIL|RCPT/);
  });

  test('a certificate of an unknown authority is refused and one of a known authority is taken, with STARTTLS and with TLS from the start', async () => {
    const authority = new TestAuthority();
    const own = authority.issue({ names: ['127.0.0.1', 'localhost'] });
    const starttls = await startSmtp({ server: { ...own } });
    const direct = await startSmtp({ server: { ...own, secure: true } });
    closing.push(starttls.close, direct.close);
    const servers = [
      { port: starttls.port, tls: 'required' },
      { port: starttls.port, tls: 'offered' },
      { port: direct.port, tls: 'from-the-start' },
    ] as const;
    for (const server of servers) {
      expect(await send(server)).toMatchObject({ kind: 'failed', isFinal: false });
    }
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, authority.cert]);
    try {
      for (const server of servers) expect(await send(server)).toEqual({ kind: 'delivered' });
      expect([...starttls.received, ...direct.received].map(({ isEncrypted }) => isEncrypted)).toEqual([
        true,
        true,
        true,
      ]);
      expect(await send({ ...servers[0], host: 'localhost' })).toEqual({ kind: 'delivered' });
    } finally {
      setDefaultCACertificates(before);
    }
  });

  test('a refusal of the mail, a refusal of the sender and a temporary refusal are told apart', async () => {
    const smtp = await startSmtp({
      answers: [451, 554],
      refuseRecipient: (address) => (address.startsWith('gone') ? 550 : null),
    });
    closing.push(smtp.close);
    const { port } = smtp;
    expect(await send({ port })).toEqual({ kind: 'failed', isFinal: false, problem: expect.stringContaining('451') });
    expect(await send({ port })).toEqual({ kind: 'failed', isFinal: true, problem: expect.stringContaining('554') });
    const gone = await send({ port }, 5000, { to: 'gone@example.org' });
    expect(gone).toEqual({ kind: 'failed', isFinal: true, problem: 'the mail server answered 550 to RCPT TO' });
    const closed = await send({ port: await closedPort() });
    expect(closed).toMatchObject({ kind: 'failed', isFinal: false, problem: expect.stringContaining('ECONNREFUSED') });
  });

  test.each([
    ['says nothing', '', () => undefined],
    ['says half a line for ever', '220', (_line: string) => undefined],
    ['greets and answers nothing', '220 hello\r\n', () => undefined],
    ['says what is no SMTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', () => undefined],
  ])('a server that %s ends with its deadline, and its connection with it', async (_what, greeting, onLine) => {
    const server = await startBareSmtp(greeting, onLine);
    closing.push(server.close);
    expect(await send({ port: server.port }, 200)).toMatchObject({ kind: 'failed', isFinal: false });
    await expect.poll(server.open).toBe(0);
  });

  test.each([
    ['smtp://mail.example.org', { host: 'mail.example.org', port: 25, tls: 'required' }],
    ['smtp://u:p@mail.example.org', { port: 587, tls: 'required', user: 'u', password: 'p' }],
    ['smtp://mail.example.org:2525?starttls=offered', { port: 2525, tls: 'offered' }],
    ['smtps://mail.example.org', { port: 465, tls: 'from-the-start' }],
    ['smtp://127.0.0.1:1025', { port: 1025, tls: 'none' }],
    ['smtp://127.0.0.1:1025?starttls=required', { tls: 'required' }],
    ['smtp://[::1]:1025', { host: '::1', tls: 'none' }],
    ['smtp://127.0.0.1.evil.example', { tls: 'required' }],
  ])('%s', (url, server) => {
    expect(readSmtpUrl(url)).toMatchObject({ kind: 'read', server });
  });

  test.each([
    'mail',
    'http://mail',
    'smtp://',
    'smtp://h/p',
    'smtp://h?tls=no',
    'smtps://h?starttls=offered',
    'smtp://%:p@h',
  ])('%s is refused, and not repeated', (url) => {
    const read = readSmtpUrl(url);
    expect(read).toMatchObject({ kind: 'refused' });
  });
});

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function startHook(
  status: number,
  headers: Record<string, string> = {},
): Promise<{ url: string; calls: Call[] }> {
  const calls: Call[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    calls.push({ headers: request.headers, body });
    if (status > 0) response.writeHead(status, headers).end('thanks');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, calls };
}

describe('the webhook', () => {
  const secret = 'a-secret-of-the-webhook-0123456789abcdef';
  const secretFile = (): string => {
    const file = join(folder, 'webhook.secret');
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    return file;
  };

  test('gets a mail with a signature over time and raw body', async () => {
    const { url, calls } = await startHook(202);
    expect(await sendBy({ kind: 'webhook', url, secretFile: secretFile() })).toEqual({ kind: 'delivered' });
    const [call] = calls;
    const signature = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(call?.headers['latchkey-signature']));
    expect(signature?.[1]).toBe('1800000060');
    expect(signature?.[2]).toBe(createHmac('sha256', secret).update(`1800000060.${call?.body}`).digest('hex'));
    expect(call?.headers).toMatchObject({ 'idempotency-key': message.id, 'content-type': 'application/json' });
    expect(JSON.parse(call?.body ?? '')).toEqual({
      id: message.id,
      kind: 'sign-in-link',
      created_at: 1_800_000_000,
      from: { name: 'Hillside Media', address: 'keys@example.org' },
      to: 'mina@example.org',
      subject: message.subject,
      text: message.text,
      html: message.html,
    });
  });

  test.each([302, 400, 429, 500])('does not count a mail as delivered when it answers %i', async (status) => {
    const elsewhere = await startHook(200);
    const { url } = await startHook(status, { location: elsewhere.url });
    const outcome = await sendBy({ kind: 'webhook', url, secretFile: secretFile() });
    expect(outcome).toEqual({ kind: 'failed', isFinal: false, problem: `the webhook answered ${status}` });
    expect(elsewhere.calls).toEqual([]);
  });

  test('fails with a text when it does not answer, is away, or has no secret', async () => {
    const silent = await startHook(0);
    const way = { kind: 'webhook', url: silent.url, secretFile: secretFile() } as const;
    expect(await sendBy(way, 200)).toMatchObject({ problem: 'the webhook did not answer in time' });
    const away = { ...way, url: `http://127.0.0.1:${await closedPort()}/` };
    expect(await sendBy(away)).toMatchObject({ problem: 'the webhook failed: ECONNREFUSED' });
    const bare = await sendBy({ ...way, secretFile: join(folder, 'none') });
    expect(bare).toMatchObject({ kind: 'failed', problem: expect.stringContaining('does not exist') });
  });
});

describe('the log transport', () => {
  test('writes lines to a file that only its owner may read, whatever the file’s mode was before', async () => {
    const file = join(folder, 'mail.log');
    writeFileSync(file, '', { mode: 0o644 });
    expect(await sendBy({ kind: 'log', file })).toEqual({ kind: 'delivered' });
    expect(await sendBy({ kind: 'log', file })).toEqual({ kind: 'delivered' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ to: 'mina@example.org', text: message.text });
  });

  test('fails with a text for a folder, a symlink and a missing folder', async () => {
    symlinkSync(join(folder, 'target'), join(folder, 'link'));
    for (const file of [folder, join(folder, 'link'), join(folder, 'none', 'mail.log')])
      expect(await sendBy({ kind: 'log', file })).toMatchObject({ kind: 'failed', isFinal: false });
  });
});

test('after a reload the next mail takes the new transport', async () => {
  let file = join(folder, 'first.log');
  const mail = () => ({ mail: { from: 'a@b', transport: { kind: 'log' as const, file } } });
  const way = openConfiguredTransport({ config: mail, clock: { epochSeconds: () => 0 } });
  await way.deliver(message, AbortSignal.timeout(5000));
  file = join(folder, 'second.log');
  await way.deliver(message, AbortSignal.timeout(5000));
  for (const name of ['first.log', 'second.log'])
    expect(readFileSync(join(folder, name), 'utf8').split('\n')).toHaveLength(2);
});
