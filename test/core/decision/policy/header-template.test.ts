// Values of request headers with placeholders: what they are filled with, and when there is no value at all.

import { describe, expect, it } from 'vitest';
import {
  fillFromClaims,
  fillTemplate,
  needsOf,
  parseTemplate,
  type TemplatePart,
} from '../../../../gateway/core/decision/policy/header-template.ts';

function parts(value: string): readonly TemplatePart[] {
  const parsed = parseTemplate(value);
  if (parsed.kind !== 'template') throw new Error(parsed.kind);
  return parsed.parts;
}

describe('a template', () => {
  it('is filled with the values of its placeholders', () => {
    const said: Record<string, string> = { host: 'a.example', scheme: 'https', sub: 'anna' };
    expect(fillTemplate(parts('{scheme}://{host}/~{sub}'), (name) => said[name])).toBe('https://a.example/~anna');
  });

  it('writes a brace for two braces', () => {
    expect(fillTemplate(parts('{{"user":"{sub}"}}'), () => 'anna')).toBe('{"user":"anna"}');
  });

  it.each(['{', '}', 'a}b', '{sub', '{{sub}', '{a{b}}'])('%j has a brace without its other half', (value) => {
    expect(parseTemplate(value).kind).toBe('brace');
  });

  it.each([
    ['{user}', 'user'],
    ['{}', ''],
    ['{Sub}', 'Sub'],
    ['{ sub }', ' sub '],
  ])('%j has an unknown placeholder', (value, name) => {
    expect(parseTemplate(value)).toEqual({ kind: 'unknown', name });
  });

  it('gives no value when a placeholder has none', () => {
    const claims = { exp: 1, sub: 'anna', email: '', groups: [] };
    expect(fillFromClaims(parts('{sub}'), claims)).toBe('anna');
    for (const value of ['{email}', '{name}', '{groups}', '{sub} {name}', '{host}']) {
      expect(fillFromClaims(parts(value), claims)).toBeNull();
    }
  });

  it('gives no value when a placeholder has a text that no header can carry', () => {
    for (const sub of ['a\r\nX: 1', 'a\nb', 'a\0', '\x7f', 'a\tb']) {
      expect(fillFromClaims(parts('user {sub}'), { exp: 1, sub })).toBeNull();
    }
  });

  it('writes UTF-8 with one character a byte, and groups with commas', () => {
    const claims = { exp: 1, name: 'Zoë', groups: ['a', 'b'] };
    expect(fillFromClaims(parts('{name}: {groups}'), claims)).toBe('Zo\xc3\xab: a,b');
  });

  it('knows whether it needs claims or the request', () => {
    expect(needsOf(parts('x'))).toEqual({ claims: false, request: false });
    expect(needsOf(parts('{sub}@{host}'))).toEqual({ claims: true, request: true });
  });
});
