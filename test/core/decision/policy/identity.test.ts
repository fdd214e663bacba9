// Identity headers by preset, and the names that clients may not send.

import { describe, expect, it } from 'vitest';
import type { IdentityConfig } from '../../../../gateway/config/compiled/config.ts';
import {
  compileIdentity,
  customIdentityNames,
  foldName,
  isForwardingHeader,
  isIdentityHeader,
  validateCustomHeaderName,
} from '../../../../gateway/core/decision/policy/identity.ts';

const claims = {
  exp: 1,
  sub: 'user-1',
  email: 'u@example.org',
  name: 'Zoë 🔑',
  preferred_username: 'zoe',
  groups: ['staff', 'éditeurs'],
};

describe('compileIdentity', () => {
  it('writes the headers of oauth2-proxy', () => {
    const text = Buffer.from(compileIdentity({ preset: 'oauth2-proxy' })(claims), 'latin1').toString('utf8');
    expect(text).toBe(
      'X-Forwarded-User: user-1\r\nX-Forwarded-Email: u@example.org\r\nX-Forwarded-Groups: staff,éditeurs\r\n' +
        'X-Forwarded-Preferred-Username: zoe\r\n',
    );
  });

  it('writes the headers of authelia', () => {
    const text = Buffer.from(compileIdentity({ preset: 'authelia' })(claims), 'latin1').toString('utf8');
    expect(text).toBe(
      'Remote-User: user-1\r\nRemote-Groups: staff,éditeurs\r\nRemote-Name: Zoë 🔑\r\nRemote-Email: u@example.org\r\n',
    );
  });

  const account = { exp: 1, sub: 'ac_1', email: 'anna@example.org' };

  it('names an account by its address where sites show a name, with every preset', () => {
    expect(compileIdentity({ preset: 'oauth2-proxy' })(account)).toBe(
      'X-Forwarded-User: ac_1\r\nX-Forwarded-Email: anna@example.org\r\nX-Forwarded-Preferred-Username: anna@example.org\r\n',
    );
    expect(compileIdentity({ preset: 'authelia' })(account)).toContain('Remote-Name: anna@example.org\r\n');
    expect(compileIdentity({ preset: 'authelia' })({ ...account, name: 'Anna' })).toContain('Remote-Name: Anna\r\n');
    const custom: IdentityConfig = { preset: 'custom', headers: { preferred_username: 'X-Login' } };
    expect(compileIdentity(custom)(account)).toBe('X-Login: anna@example.org\r\n');
    expect(compileIdentity(custom)({ ...account, sub: 'u1' })).toBe('');
  });

  it('says the address as the user where the route asks for it, and the id of whoever has none', () => {
    expect(compileIdentity({ preset: 'oauth2-proxy', user: 'email' })(account)).toContain(
      'X-Forwarded-User: anna@example.org\r\n',
    );
    expect(compileIdentity({ preset: 'authelia', user: 'email' })(account)).toContain(
      'Remote-User: anna@example.org\r\n',
    );
    expect(compileIdentity({ preset: 'authelia', user: 'email' })({ exp: 1, sub: 'ben' })).toBe('Remote-User: ben\r\n');
  });

  it('writes only the claims that a custom rule maps, under its names', () => {
    const identity: IdentityConfig = { preset: 'custom', headers: { email: 'X-Mail', sub: 'X-User' } };
    expect(compileIdentity(identity)(claims)).toBe('X-User: user-1\r\nX-Mail: u@example.org\r\n');
    expect(customIdentityNames(identity)).toEqual(['x-user', 'x-mail']);
    expect(customIdentityNames({ preset: 'authelia' })).toEqual([]);
  });

  it('writes grant and amr with every preset', () => {
    for (const identity of [{ preset: 'authelia' }, { preset: 'custom', headers: {} }] as const) {
      expect(compileIdentity(identity)({ exp: 1, grant: 'g1', amr: ['pwd', 'otp'] })).toBe(
        'X-Latchkey-Grant: g1\r\nX-Latchkey-Amr: pwd,otp\r\n',
      );
    }
  });

  it('writes nothing for claims that are absent or empty', () => {
    expect(compileIdentity({ preset: 'oauth2-proxy' })({ exp: 1, sub: '', groups: [] })).toBe('');
  });

  it('writes one character for each byte', () => {
    const lines = compileIdentity({ preset: 'authelia' })({ exp: 1, name: '\u0141' });
    expect(lines).toBe('Remote-Name: \xc5\x81\r\n');
  });
});

describe('names that clients may not send', () => {
  it.each([
    'X-Forwarded-User',
    'x_forwarded_user',
    'X.Forwarded.Email',
    'X-FORWARDED_GROUPS',
    'X-Forwarded-Preferred-Username',
    'X-Forwarded-Access-Token',
    'X-Auth-Request-User',
    'X_Auth_Request_Preferred_Username',
    'Remote-User',
    'REMOTE_USER',
    'Remote.Groups',
    'Remote-Name',
    'Remote-Email',
    'X-Latchkey-Assertion',
    'X-Latchkey-Device',
    'X_Latchkey_Anything',
    'Latchkey-Token',
  ])('%s is an identity header', (name) => {
    expect(isIdentityHeader(foldName(name))).toBe(true);
    expect(isForwardingHeader(foldName(name))).toBe(false);
  });

  it.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'X-Forwarded-Port',
    'X-Forwarded-Server',
    'X-Forwarded-Uri',
    'X-Forwarded-Method',
    'X-Forwarded-Prefix',
    'X-Forwarded-Client-Cert',
    'X-Original-URL',
    'X-Original-URI',
    'X_Original_Method',
    'X-Original-Host',
    'X.Real.IP',
    'X-Rewrite-URL',
  ])('%s is a name that proxies send', (name) => {
    expect(isForwardingHeader(foldName(name))).toBe(true);
    expect(isIdentityHeader(foldName(name))).toBe(false);
  });

  it.each(['Accept', 'X-Forwarded', 'Remote', 'X-HTTP-Method-Override', 'X-Auth-Token', 'User-Agent', ''])(
    '%j is neither',
    (name) => {
      expect(isIdentityHeader(foldName(name))).toBe(false);
      expect(isForwardingHeader(foldName(name))).toBe(false);
    },
  );

  it('every name that a preset writes is among them', () => {
    const all = { ...claims, grant: 'g', amr: ['a'] };
    for (const preset of ['oauth2-proxy', 'authelia'] as const) {
      for (const line of compileIdentity({ preset })(all).trimEnd().split('\r\n')) {
        expect(isIdentityHeader(foldName(line.slice(0, line.indexOf(':'))))).toBe(true);
      }
    }
  });
});

describe('validateCustomHeaderName', () => {
  it.each(['X-User', 'Remote-User', 'X-Forwarded-User', 'uid'])('takes %s', (name) => {
    expect(validateCustomHeaderName(name)).toBeNull();
  });

  it.each([
    ['', 'letters, digits'],
    ['X_User', 'letters, digits'],
    ['X User', 'letters, digits'],
    ['X-User\r\n', 'letters, digits'],
    ['X:User', 'letters, digits'],
    ['Host', 'meaning of its own'],
    ['COOKIE', 'meaning of its own'],
    ['authorization', 'meaning of its own'],
    ['Content-Length', 'meaning of its own'],
    ['Transfer-Encoding', 'meaning of its own'],
    ['TE', 'meaning of its own'],
    ['Trailer', 'meaning of its own'],
    ['Connection', 'meaning of its own'],
    ['Upgrade', 'meaning of its own'],
    ['Proxy-Connection', 'meaning of its own'],
    ['X-Forwarded-For', 'meaning of its own'],
    ['X-Forwarded-Host', 'meaning of its own'],
    ['X-Forwarded-Proto', 'meaning of its own'],
    ['X-Latchkey-User', 'own names'],
    ['x'.repeat(65), 'longer than 64'],
  ])('refuses %j', (name, words) => {
    expect(validateCustomHeaderName(name)).toContain(words);
  });
});
