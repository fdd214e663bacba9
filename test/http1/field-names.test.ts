// Field names: their grammar, and the memo, which never mistakes one name for another.

import { describe, expect, it } from 'vitest';
import { badName, FieldNames, fieldClass, noColon } from '../../gateway/http1/field-names.ts';

describe('field names', () => {
  it('does not remember a refused name', () => {
    const names = new FieldNames('strict', () => 0);
    for (let round = 0; round < 3; round++) expect(names.classOf('a_b')).toBe(-1);
    expect(new FieldNames('token', () => 0).classOf('a_b')).toBe(0);
  });

  it('a name that differs from an important name only in punctuation is a look-alike', () => {
    const known = new Map([
      ['x-user', 20],
      ['user-agent', 21],
      ['my_own', 22],
    ]);
    const names = new FieldNames(
      'token',
      (name) => known.get(name) ?? 0,
      (found) => (found === 21 ? 0 : fieldClass.lookAlike),
    );
    for (let round = 0; round < 2; round++) {
      for (const name of [
        'X_User',
        'x.user',
        'X~User',
        "x'user",
        'content_length',
        'Transfer.Encoding',
        'keep_alive',
      ]) {
        expect([name, names.classOf(name)]).toEqual([name, fieldClass.lookAlike]);
      }
      for (const name of ['client_id', 'X_API_KEY', 'user_agent', 'x__user', '_x-user', 'host_', '~']) {
        expect([name, names.classOf(name)]).toEqual([name, fieldClass.plain]);
      }
      // what a caller knows under just this name is no look-alike
      expect([names.classOf('My_Own'), names.classOf('x-user')]).toEqual([22, 20]);
    }
  });

  it('reads a name up to its colon, at any length, and no further than the line', () => {
    const names = new FieldNames('strict', (name) => (name.startsWith('aaa') ? name.length : 0));
    for (const length of [1, 2, 46, 47, 48, 49, 255, 256, 300, 5000]) {
      const line = Buffer.from(`xx${'a'.repeat(length)}: b`);
      for (let round = 0; round < 2; round++) {
        expect(names.read(line, 2, line.length, round)).toBe(length < 3 ? 0 : length);
        expect(names.colon).toBe(length + 2);
      }
      expect(names.read(line, 2, length + 2, 0)).toBe(noColon);
    }
    expect(names.read(Buffer.from(':'), 0, 1, 0)).toBe(badName);
    expect(names.read(Buffer.from('a b:'), 0, 4, 0)).toBe(badName);
  });

  it('does not mistake a name for the one at the same position in the previous head', () => {
    const names = new FieldNames('strict', (name) => 20 + ['aa', 'ab', 'aab', 'a'].indexOf(name));
    const read = (line: string) => names.read(Buffer.from(line), 0, line.length, 7);
    for (let round = 0; round < 2; round++) {
      for (const [line, found] of [
        ['aa: x', 20],
        ['aa:', 20],
        ['ab: x', 21],
        ['aab: x', 22],
        ['aa: x', 20],
        ['a: a:', 23],
        ['aa', noColon],
        ['a', noColon],
        ['aa : x', badName],
        [':aa:', badName],
      ] as const) {
        expect([line, read(line)]).toEqual([line, found]);
        if (found >= 0) expect(names.colon).toBe(line.indexOf(':'));
      }
    }
  });

  it('tells two names apart that share a slot of the memo', () => {
    // 31 * 'A' + 'a' equals 31 * 'B' + 'B': the same hash
    const twins = ['Aa', 'BB', 'AaAa', 'BBBB', 'AaBB', 'BBAa'];
    const names = new FieldNames('token', (name) => 20 + ['aa', 'bb', 'aaaa', 'bbbb', 'aabb', 'bbaa'].indexOf(name));
    for (let round = 0; round < 3; round++) {
      expect(twins.map((name) => names.classOf(name))).toEqual([20, 21, 22, 23, 24, 25]);
    }
  });

  it('gives every spelling of a name the same class, before and after thousands of other names', () => {
    const names = new FieldNames('strict', (name) => (name === 'cookie' ? 16 : 0));
    for (let round = 0; round < 3; round++) {
      const classes = ['Cookie', 'cookie', 'COOKIE', 'cOOKIE'].map((name) => names.classOf(name));
      expect(classes).toEqual([16, 16, 16, 16]);
      expect(names.classOf('Cookies')).toBe(0);
      expect(names.classOf('CONTENT-length')).toBe(2);
      for (let index = 0; index < 3000; index++) expect(names.classOf(`X-${round}-${index}`)).toBe(0);
    }
  });
});
