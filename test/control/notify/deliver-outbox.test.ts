// The outbox end to end: a unit queues a mail, a worker delivers it to a real mail server, and its text is wiped from the row.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { queueMail } from '../../../gateway/control/notify/queue-mail.ts';
import { failed, type MailTransport } from '../../../gateway/control/notify/transport.ts';
import { listAudit } from '../../../gateway/store/rows/audit.ts';
import { measureOutbox } from '../../../gateway/store/rows/outbox.ts';
import { insertShare } from '../../../gateway/store/sharing/shares.ts';
import { type SmtpRig, startBareSmtp, startSmtp } from '../../support/peers/smtp.ts';
import { type OutboxRig, openOutboxRig, signInMail, smtpTo } from './outbox-rig.ts';

let rig: OutboxRig;
let smtp: SmtpRig;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  rig = await openOutboxRig();
  smtp = await startSmtp();
});

afterEach(async () => {
  await rig.close();
  await smtp.close();
  for (const close of closing.splice(0)) await close();
});

/** A server that refuses these mails first, instead of the one that takes everything. */
async function refusing(answers: readonly number[]): Promise<SmtpRig> {
  const server = await startSmtp({ answers });
  closing.push(server.close);
  return server;
}

test('a queued mail arrives once, and the row keeps nothing of its text', async () => {
  const worker = rig.start(smtpTo(smtp.port), { pollMs: 60_000 });
  expect(await rig.queue('mina@example.org')).toMatchObject({ kind: 'queued' });
  worker.wake();
  await rig.until(([row]) => row?.delivered_at !== null);
  const [mail] = await smtp.waitFor(1);
  expect(mail).toMatchObject({ from: 'keys@example.org', to: ['mina@example.org'] });
  expect(mail?.header('from')).toBe('Hillside Media <keys@example.org>');
  expect(mail?.header('subject')).toBe('Sign in to Hillside Media');
  expect(mail?.header('auto-submitted')).toBe('auto-generated');
  expect(mail?.text).toContain('https://portal.example.org/.latchkey/code?code=sesame-open');
  expect(mail?.html).toContain('href="https://portal.example.org/.latchkey/code?code=sesame-open"');
  const [row] = await rig.rows();
  expect(row).toMatchObject({ body_sealed: null, attempts: 1, last_problem: null });
  worker.wake();
  await rig.store.write(async () => undefined);
  expect(smtp.received).toHaveLength(1);
});

test('neither the address nor the code is ever readable in the store’s files', async () => {
  await rig.queue('mina@example.org');
  const bytes = (): string =>
    readdirSync(rig.folder)
      .map((name) => readFileSync(join(rig.folder, name), 'latin1'))
      .join('');
  expect(bytes()).toContain('sign-in-link');
  expect(bytes()).not.toMatch(/mina@example|sesame-open/);
  rig.start(smtpTo(smtp.port));
  await rig.until(([row]) => row?.delivered_at !== null);
  expect(bytes()).not.toMatch(/mina@example|sesame-open/);
  expect(rig.said()).not.toMatch(/mina@example|sesame-open/);
});

test('a unit that is rolled back sends nothing', async () => {
  rig.start(smtpTo(smtp.port));
  const { queueMail } = await import('../../../gateway/control/notify/queue-mail.ts');
  const context = {
    sealing: { seal: () => 'sealed' },
    random: () => Buffer.alloc(16),
    config: () => ({
      mail: { from: 'a@b' },
      portal: { publicUrl: 'https://p.example', name: 'p' },
      accounts: { limits: { mailsPerHour: 500, requestsPerNetwork: 100 } },
      sharing: { perSender: { count: 50, seconds: 3600 }, perAddress: { count: 10, seconds: 3600 } },
    }),
  };
  const write = rig.store.write(async (unit) => {
    await queueMail(unit, context, signInMail('nobody@example.org'));
    throw new Error('undone');
  });
  await expect(write).rejects.toThrow('undone');
  await rig.queue('mina@example.org');
  await smtp.waitFor(1);
  expect(smtp.received.map(({ to }) => to[0])).toEqual(['mina@example.org']);
  expect(await rig.rows()).toHaveLength(1);
});

test('a mail that was refused temporarily is sent again later, under the same Message-ID', async () => {
  const server = await refusing([451, 421]);
  rig.start(smtpTo(server.port));
  await rig.queue('mina@example.org');
  await rig.until(([row]) => row?.last_problem === 'the mail server answered 451 to DATA');
  const [first] = await rig.rows();
  const wait = (first?.next_attempt_at ?? 0) - (first?.created_at ?? 0);
  expect(wait).toBeGreaterThanOrEqual(7);
  expect(wait).toBeLessThanOrEqual(15);
  rig.pass(20);
  await rig.until(([row]) => row?.attempts === 2 && row.leased_until_at === 0);
  rig.pass(60);
  const [mail] = await server.waitFor(1);
  await rig.until(([row]) => row?.delivered_at !== null);
  expect(server.attempts()).toBe(3);
  expect(mail?.header('message-id')).toBe(`<${first?.id}@example.org>`);
  expect(rig.said()).not.toContain('someone@example.org');
});

test('a mail that is refused for good is given up and noted in the audit log, and does not hold up other mails', async () => {
  const server = await startSmtp({ refuseRecipient: (address) => (address.startsWith('gone@') ? 550 : null) });
  closing.push(server.close);
  rig.start(smtpTo(server.port));
  await rig.queue('gone@example.org');
  await rig.until(([row]) => row?.attempts === 1 && row.leased_until_at === 0);
  await rig.queue('mina@example.org');
  await server.waitFor(1);
  rig.pass(20);
  await rig.until((rows) => rows.some((row) => row.attempts === 2 && row.leased_until_at === 0));
  rig.pass(60);
  await rig.until((rows) => rows.some((row) => row.given_up_at !== null));
  const lost = (await rig.rows()).find((row) => row.given_up_at !== null);
  expect(lost).toMatchObject({ attempts: 3, body_sealed: null });
  const { entries } = await listAudit(rig.store.sql);
  expect(entries).toMatchObject([
    {
      actor: 'system',
      action: 'outbox.given-up',
      subject: lost?.id,
      details: { kind: 'sign-in-link', attempts: 3, problem: 'the mail server answered 550 to RCPT TO' },
    },
  ]);
});

test('a mail that was queued by a clock 40 days ahead is sent once the clock is right', async () => {
  rig.pass(40 * 86_400);
  await rig.queue('mina@example.org');
  rig.pass(-40 * 86_400);
  await rig.queue('ben@example.org');
  rig.start(smtpTo(smtp.port));
  await smtp.waitFor(2);
  await rig.until((rows) => rows.every((row) => row.delivered_at !== null));
});

test('after three days of failures a mail is given up', async () => {
  const away: MailTransport = { deliver: async () => failed('no way'), close: async () => undefined };
  rig.start(away);
  await rig.queue('mina@example.org');
  await rig.until(([row]) => row?.attempts === 1 && row.leased_until_at === 0);
  rig.pass(3 * 86_400 - 100);
  await rig.until(([row]) => row?.attempts === 2 && row.leased_until_at === 0);
  expect((await rig.rows())[0]?.given_up_at).toBeNull();
  // the log's own time has marks of an hour
  rig.pass(100 + 3600);
  await rig.until(([row]) => row?.given_up_at !== null);
  expect(await measureOutbox(rig.store.sql)).toEqual({ waiting: 0, oldestAt: null });
});

test('an attempt at a server that never greets ends at its deadline, and delays no other mail', async () => {
  const silent = await startBareSmtp('');
  closing.push(silent.close);
  const slow = smtpTo(silent.port);
  const good = smtpTo(smtp.port);
  const split: MailTransport = {
    deliver: (message, signal) => (message.to.startsWith('slow') ? slow : good).deliver(message, signal),
    close: async () => undefined,
  };
  rig.start(split, { attemptMs: 300, concurrency: 2 });
  await rig.queue('slow@example.org');
  await rig.queue('mina@example.org');
  await smtp.waitFor(1);
  await rig.until((rows) => rows.some((row) => row.last_problem === 'the attempt took too long'));
  await expect.poll(silent.open).toBe(0);
});

test('two workers on one store deliver each mail once', async () => {
  for (let mail = 0; mail < 40; mail++) await rig.queue(`person${mail}@example.org`);
  rig.start(smtpTo(smtp.port));
  rig.start(smtpTo(smtp.port));
  await rig.until((rows) => rows.every((row) => row.delivered_at !== null));
  expect(new Set(smtp.received.map(({ to }) => to[0])).size).toBe(40);
  expect(smtp.received).toHaveLength(40);
});

test('a worker that ends in the middle of an attempt puts the mail back, and the next one delivers it', async () => {
  const silent = await startBareSmtp('');
  closing.push(silent.close);
  const first = rig.start(smtpTo(silent.port));
  await rig.queue('mina@example.org');
  await expect.poll(silent.connections).toBe(1);
  await first.close();
  expect((await rig.rows())[0]).toMatchObject({ leased_until_at: 0, attempts: 1, delivered_at: null });
  rig.start(smtpTo(smtp.port));
  await smtp.waitFor(1);
});

test('a mail that was sealed under another master key waits, and other mails are delivered', async () => {
  const id = await rig.queue('mina@example.org');
  await rig.store.write((unit) =>
    unit.sql
      .updateTable('outbox')
      .set({ body_sealed: 's1.broken' })
      .where('id', '=', 'id' in id ? id.id : '')
      .execute(),
  );
  await rig.queue('other@example.org');
  rig.start(smtpTo(smtp.port));
  await smtp.waitFor(1);
  await rig.until((rows) => rows.some((row) => row.last_problem?.startsWith('the mail does not open') === true));
});

test('no mail is queued for an address that is not one mailbox, or without mail in the configuration', async () => {
  expect(await rig.queue('mina@example.org\r\nRCPT TO:<all@example.org>')).toEqual({ kind: 'bad-address' });
  expect(await rig.queue('a@b, c@d')).toEqual({ kind: 'bad-address' });
  expect(await rig.rows()).toEqual([]);
});

const offer: Partial<Parameters<typeof queueMail>[2]> = {
  kind: 'key-shared',
  subject: 'sh_1',
  values: {
    ...{ path: '/.latchkey/shares/open?code=sh_1.secret', key: 'Front door', giver: 'Olive', expiresAt: 2_000_000_000 },
    ...{ giverAddress: 'olive@example.org', credential: { name: 'Staff card', issuer: 'Hillside' } },
  },
};

async function addShare(): Promise<() => Promise<{ first_mail_at: number | null; mail_failed_at: number | null }>> {
  await rig.store.write((unit) =>
    insertShare(unit.sql, {
      ...{ id: 'sh_1', key_id: 'dk_1', parent_id: null, depth: 0, giver_id: 'ac_1', email: 'mina@example.org' },
      ...{ account_id: 'ac_2', state: 'pending', words: '', usable_from_at: null, usable_until_at: null },
      ...{ uses_allowed: null, uses_left: null, reshare_depth: 0, secret_digest: '', secret_sealed: null },
      ...{ first_mail_at: null, mail_failed_at: null, last_mail_at: null, reminded_at: null, expires_at: 2e9 },
      ...{ created_at: unit.now, accepted_at: null, ended_at: null, ended_by: null, last_used_at: null },
      creation_digest: null,
    }),
  );
  return () => rig.store.sql.selectFrom('shares').select(['first_mail_at', 'mail_failed_at']).executeTakeFirstOrThrow();
}

test('a share is told when its message was handed over, and keeps that once the row is forgotten', async () => {
  const share = await addShare();
  rig.start(smtpTo(smtp.port), { keepSeconds: 60 });
  await rig.queue('mina@example.org', offer);
  const [mail] = await smtp.waitFor(1);
  expect(mail?.text).toContain('https://portal.example.org/.latchkey/shares/open?code=sh_1.secret');
  await rig.until(([row]) => row?.delivered_at !== null);
  const told = await share();
  expect(told).toMatchObject({ first_mail_at: expect.any(Number), mail_failed_at: null });
  rig.pass(8 * 86_400);
  await rig.until((rows) => rows.length === 0);
  expect(await share()).toEqual(told);
});

test('a share is told when its message was given up', async () => {
  const share = await addShare();
  const server = await startSmtp({ refuseRecipient: () => 550 });
  closing.push(server.close);
  rig.start(smtpTo(server.port));
  await rig.queue('mina@example.org', offer);
  for (const attempts of [1, 2, 3]) {
    await rig.until(([row]) => row?.attempts === attempts && row.leased_until_at === 0);
    rig.pass(60);
  }
  expect(await share()).toMatchObject({ first_mail_at: null, mail_failed_at: expect.any(Number) });
});

test('a message about a key beyond what an address gets is sent later, and is not lost', async () => {
  // a mail that was put off is not taken for one that a clock wrote that was ahead, however long it waits
  for (let mail = 0; mail < 35; mail++) await rig.queue('mina@example.org', offer);
  await rig.queue('olive@example.org', offer);
  const newest = (await rig.rows()).at(-1)?.created_at ?? 0;
  const due = (await rig.rows()).map((row) => row.next_attempt_at - row.created_at);
  const waits = due.toSorted((one, other) => one - other);
  expect(waits.filter((seconds) => seconds === 0)).toHaveLength(11);
  expect(waits.filter((seconds) => seconds > 0 && seconds <= 3600)).toHaveLength(10);
  expect(waits.filter((seconds) => seconds > 3600 && seconds <= 7200)).toHaveLength(10);
  expect(waits.filter((seconds) => seconds > 7200 && seconds <= 10_800)).toHaveLength(5);
  const worker = rig.start(smtpTo(smtp.port));
  await smtp.waitFor(11);
  await rig.until((rows) => rows.filter((row) => row.delivered_at !== null).length === 11);
  worker.wake();
  await rig.store.write(async () => undefined);
  expect(smtp.received).toHaveLength(11);
  // nothing is overdue, so no alert says so
  const { waiting, oldestAt } = await measureOutbox(rig.store.sql);
  expect(waiting).toBe(25);
  expect(oldestAt).toBeGreaterThan(newest);
  rig.pass(3 * 3600);
  await smtp.waitFor(36);
});
