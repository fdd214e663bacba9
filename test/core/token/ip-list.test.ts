// Address lists.

import { describe, expect, it } from 'vitest';
import { compileIpList } from '../../../gateway/core/token/ip-list.ts';

const questions: readonly (readonly [string, string, boolean])[] = [
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['192.0.2.1', '::ffff:c000:201', true],
  ['::ffff:192.0.2.1', '192.0.2.1', true],
  ['::ffff:192.0.2.0/120', '192.0.2.77', true],
  ['::ffff:192.0.2.0/120', '192.0.3.77', false],
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.1.2.3/8', '10.200.0.1', true],
  ['0.0.0.0/0', '255.255.255.255', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['255.255.255.255/32', '255.255.255.255', true],
  ['128.0.0.0/1', '200.0.0.1', true],
  ['128.0.0.0/1', '127.0.0.1', false],
  ['2001:db8::/32', '2001:DB8:1::5', true],
  ['2001:db8::/32', '2001:db9::', false],
  ['2001:db8::1', '2001:db8:0:0:0:0:0:1', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['::/0', '192.0.2.1', false],
  ['::/0', '2001:db8::1', true],
];

describe('IpList', () => {
  it.each(questions)('%s holds %s: %s', (block, address, expected) => {
    expect(compileIpList([block])?.contains(address)).toBe(expected);
  });

  it('looks at every entry, and an empty list holds nothing', () => {
    const list = compileIpList(['192.0.2.0/24', '2001:db8::/32', '198.51.100.7']);
    expect(list?.contains('198.51.100.7')).toBe(true);
    expect(list?.contains('198.51.100.8')).toBe(false);
    expect(compileIpList([])?.contains('127.0.0.1')).toBe(false);
  });

  it.each([
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '010.0.0.1',
    '1.2.3.256',
    '1.2.3',
    '127.0.0.1 ',
    '1.2.3.4.5',
    '1..2.3',
    '[::1]',
    ':',
  ])('holds no address written as %j', (address) => {
    expect(compileIpList(['0.0.0.0/0', '::/0'])?.contains(address)).toBe(false);
  });

  it.each([
    '',
    'x',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10/8',
    '127.1',
    '010.0.0.1',
    '::/129',
    'fe80::1%eth0',
    '10.0.0.0/8/8',
    '::g',
  ])('refuses the entry %j', (entry) => {
    expect(compileIpList(['192.0.2.1', entry])).toBeNull();
  });
});
