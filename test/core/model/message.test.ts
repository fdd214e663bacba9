// Mails as people get them: every kind renders, and nothing that somebody typed gets out of its sentence.

import { describe, expect, test } from 'vitest';
import { auditActions, auditSentence, isAuditAction } from '../../../gateway/core/model/audit.ts';
import { isMailbox, parseSender } from '../../../gateway/core/model/mailbox.ts';
import { type Message, maxSubjectLength, renderMessage } from '../../../gateway/core/model/message.ts';

const branding = { name: 'Hillside Media', publicUrl: 'https://portal.example.org' };
const at = Date.UTC(2026, 10, 22, 8, 5) / 1000;
const path = '/.latchkey/page?code=abc.def';
const door = { key: 'Front door', credential: { name: 'Staff card', issuer: 'Hillside' } };

const one: readonly Message[] = [
  { kind: 'verify-address', values: { path, validForMinutes: 1440, about: null } },
  { kind: 'address-known', values: { path, resetPath: '/.latchkey/reset' } },
  { kind: 'reset-password', values: { path, validForMinutes: 60 } },
  { kind: 'password-changed', values: { path, at } },
  { kind: 'change-address-confirm', values: { path, validForMinutes: 90 } },
  { kind: 'change-address-notice', values: { path, newAddress: 'new@example.org', at } },
  { kind: 'invitation', values: { path, validForMinutes: 10_080, inviter: 'Olive' } },
  { kind: 'sign-in-link', values: { path, validForMinutes: 10 } },
  {
    kind: 'sign-in-code',
    values: { path, validForMinutes: 10, digits: '012345', about: { label: 'Summer films', owner: 'Olive' } },
  },
  { kind: 'new-device', values: { path, device: 'Firefox on Linux', at } },
  { kind: 'account-deleted', values: { at } },
  { kind: 'link-claimed', values: { path, label: 'Summer films', member: 'Mina', device: null, at } },
  { kind: 'member-joined', values: { path, label: 'Summer films', owner: 'Olive' } },
  { kind: 'member-revoked', values: { label: 'Summer films', owner: 'Olive' } },
  { kind: 'key-shared', values: { path, ...door, giver: 'Olive', giverAddress: 'olive@example.org', expiresAt: at } },
  { kind: 'key-accepted', values: { path, ...door, giver: 'Olive', at } },
  { kind: 'key-share-accepted', values: { path, ...door, recipient: 'mina@example.org', at } },
  { kind: 'key-code', values: { ...door, digits: '012345', validForMinutes: 15 } },
  { kind: 'key-share-ends-soon', values: { path, ...door, giver: 'Olive', at } },
  { kind: 'key-share-ended', values: { path, ...door, other: 'Olive', reader: 'holder', reason: 'revoked', at } },
  {
    kind: 'key-share-ended',
    values: { path, ...door, other: 'mina@example.org', reader: 'giver', reason: 'address-changed', at },
  },
];

describe('every kind of mail', () => {
  test.each(one.map((message) => [message.kind, message] as const))('%s reads well', (_kind, message) => {
    const { subject, text, html } = renderMessage(message, branding);
    expect(subject).not.toMatch(/[\r\n]|undefined|NaN/);
    expect(text).toContain('Hillside Media');
    expect(`${text}${html}`).not.toMatch(/undefined|NaN|\[object|token|credential/i);
    expect(html).not.toMatch(/<img|<script|<link|url\(|src=/);
    if (message.kind.startsWith('key-')) {
      // a message about a key names it, and has one button at most
      expect(text).toContain('“Front door” (Staff card of Hillside)');
      expect(html.match(/<a /g) ?? []).toHaveLength(message.kind === 'key-code' ? 0 : 1);
    }
    for (const url of `${text} ${html}`.match(/https?:[^\s"<]+/g) ?? [])
      expect(new URL(url).origin).toBe('https://portal.example.org');
  });

  test('says times and durations in words', () => {
    const text = (message: Message): string => renderMessage(message, branding).text;
    expect(text({ kind: 'password-changed', values: { path, at } })).toContain('22 November 2026 at 08:05 UTC');
    const berlin = { ...branding, timeZone: 'Europe/Berlin' };
    expect(renderMessage({ kind: 'password-changed', values: { path, at } }, berlin).text).toContain(
      '22 November 2026 at 09:05 (Europe/Berlin time)',
    );
    const lasts = [1, 90, 60, 1440, 10_080].map(
      (validForMinutes) =>
        /for ([^.]+)\. W/.exec(text({ kind: 'sign-in-link', values: { path, validForMinutes } }))?.[1],
    );
    expect(lasts).toEqual(['1 minute', '90 minutes', '1 hour', '24 hours', '7 days']);
  });
});

describe('what people typed', () => {
  const hostile = 'Eve\r\nBcc: all@example.org\u2028<script>alert(1)</script>\u202e https://evil.example/x';
  const messages: readonly Message[] = [
    { kind: 'link-claimed', values: { path, label: hostile, member: hostile, device: hostile, at } },
    {
      kind: 'sign-in-code',
      values: { path, validForMinutes: 10, digits: '012345', about: { label: hostile, owner: hostile } },
    },
    {
      kind: 'key-shared',
      values: {
        ...{ path, key: hostile, credential: { name: hostile, issuer: hostile } },
        ...{ giver: hostile, giverAddress: 'eve@example.org', expiresAt: at },
      },
    },
    {
      kind: 'key-share-ended',
      values: {
        ...{ path, key: hostile, credential: { name: hostile, issuer: hostile } },
        ...{ other: hostile, reader: 'holder', reason: 'revoked', at },
      },
    },
  ];

  test.each(messages)('cannot end a subject, start a header or a tag, or become a link: $kind', (message) => {
    const { subject, text, html } = renderMessage(message, { ...branding, name: hostile });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(subject).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
    expect(subject.length).toBeLessThanOrEqual(maxSubjectLength);
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;');
    expect(`${text}${html}`).not.toContain('https://evil');
  });

  test('the name of a giver is no address of a site', () => {
    const giver = 'Buy at www.evil.example/x or J. R. Smith';
    const values = { path, ...door, giver, giverAddress: 'eve@mail.example.org', expiresAt: at };
    const { subject, text, html } = renderMessage({ kind: 'key-shared', values }, branding);
    expect(`${subject}${text}${html}`).not.toContain('evil.example');
    expect(text).toContain('Buy at www. evil. example/x or J. R. Smith (eve@mail.example.org) wants to share');
  });

  test('a long label is cut', () => {
    const { subject } = renderMessage(
      { kind: 'member-revoked', values: { label: 'x'.repeat(500), owner: 'y' } },
      branding,
    );
    expect(subject.length).toBeLessThanOrEqual(maxSubjectLength);
    expect(subject).toContain('…');
  });

  test.each(['https://evil.example/', '//evil.example/', '/\\evil.example/', 'javascript:alert(1)', 'page'])(
    'a mail never leads to %s',
    (elsewhere) => {
      const values = { path: elsewhere, validForMinutes: 10 };
      expect(() => renderMessage({ kind: 'sign-in-link', values }, branding)).toThrow(RangeError);
    },
  );
});

describe('a mailbox', () => {
  test.each(['a@b', 'first.last+tag@example.org', 'jürgen@bücher.example', "o'neil@example.org"])(
    '%s is a mailbox',
    (text) => {
      expect(isMailbox(text)).toBe(true);
    },
  );

  test.each([
    '',
    '@example.org',
    'a@',
    'a@b@c',
    'a b@c',
    'a@b\r\nRCPT TO:<c@d>',
    'a@b,c@d',
    'a@b;c@d',
    '<a@b>',
    'A <a@b>',
    '"a b"@c',
    'a..b@c',
    'a(x)@b',
    'a@-b',
    'a@b..c',
    'a@[127.0.0.1]',
    `a\u0000@b`,
    `${'a'.repeat(65)}@b`,
    `a@${'b'.repeat(254)}`,
  ])('%j is no mailbox', (text) => {
    expect(isMailbox(text)).toBe(false);
  });

  test('a sender may have a name', () => {
    expect(parseSender('latchkey <keys@example.org>')).toEqual({ name: 'latchkey', address: 'keys@example.org' });
    expect(parseSender('"Hill, side" <k@e.org>')).toEqual({ name: 'Hill, side', address: 'k@e.org' });
    expect(parseSender('keys@example.org')).toEqual({ name: '', address: 'keys@example.org' });
    for (const bad of ['', 'latchkey', 'a <b>', 'a\nb <c@d>', '<a@b> <c@d>']) expect(parseSender(bad)).toBeNull();
  });
});

test('every audit action is a sentence, and other words are no actions', () => {
  for (const action of auditActions) {
    expect(action).toMatch(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/);
    expect(auditSentence(action, 'Olive')).toMatch(/^Olive [a-z]/);
  }
  expect(isAuditAction('link.revoked')).toBe(true);
  expect(isAuditAction('toString')).toBe(false);
});
