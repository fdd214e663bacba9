// Which origins match a route's cross-origin rules: whole or by suffix, never by accident (Fetch §3.2).

import { describe, expect, test } from 'vitest';
import { compileCors } from '../../../../gateway/core/decision/policy/cors.ts';

const rule = {
  origins: ['https://app.example.org', 'https://*.example.net', 'https://*.example.com:8443', 'http://[::1]:3000'],
  methods: ['GET', 'PUT'],
  headers: ['Authorization', 'X-A'],
  expose: ['ETag'],
  credentials: true,
  maxAgeSeconds: 600,
};
const named = compileCors(rule);
const any = compileCors({ ...rule, origins: ['*'], credentials: false });

function allowed(origin: string | null, policy = named): string | undefined {
  return /Access-Control-Allow-Origin: (.*)\r\n/.exec(policy?.answerLines(origin) ?? '')?.[1];
}

describe('an origin', () => {
  test.each([
    'https://app.example.org',
    'https://a.example.net',
    'https://b.a.example.net',
    'https://a.example.com:8443',
    'http://[::1]:3000',
  ])('%s matches, and is sent back exactly', (origin) => {
    expect(allowed(origin)).toBe(origin);
  });

  test.each([
    null,
    '',
    'null',
    '*',
    'https://app.example.org.evil.example',
    'https://xapp.example.org',
    'https://app.example.org:443',
    'http://app.example.org',
    'https://APP.example.org',
    'https://app.example.org/',
    'https://app.example.org ',
    'https://app.example.org, https://evil.example',
    'https://example.net',
    'https://.example.net',
    'https://evil.example/.example.net',
    'https://evil.example?.example.net',
    'https://evil.example#.example.net',
    'https://evil@a.example.net',
    'https://evil:80.example.net',
    'https://a..example.net',
    'https://a\r\nX: y.example.net',
    'https://aexample.net',
    'http://a.example.net',
    'https://a.example.net:8443',
    'https://a.example.com',
    `https://${'a'.repeat(70)}.example.net`,
    `https://${'a.'.repeat(200)}example.net`,
  ])('%j does not match', (origin) => {
    expect(allowed(origin)).toBeUndefined();
    expect(named?.answerLines(origin)).toBe('Vary: Origin\r\n');
    expect(named?.preflightLines(origin)).toBeNull();
  });

  test('of any kind matches a star, except null and an absent one', () => {
    expect(allowed('https://evil.example', any)).toBe('*');
    expect(allowed('null', any)).toBeUndefined();
    expect(allowed(null, any)).toBeUndefined();
  });
});

test('an answer and a preflight allow what the rule allows, and no more', () => {
  expect(named?.answerLines('https://app.example.org')).toBe(
    'Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example.org\r\n' +
      'Access-Control-Allow-Credentials: true\r\nAccess-Control-Expose-Headers: ETag\r\n',
  );
  expect(named?.preflightLines('https://app.example.org')).toBe(
    'Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example.org\r\nAccess-Control-Allow-Credentials: true\r\n' +
      'Access-Control-Allow-Methods: GET, PUT\r\nAccess-Control-Allow-Headers: Authorization, X-A\r\nAccess-Control-Max-Age: 600\r\n',
  );
  expect(compileCors(null)).toBeNull();
});
