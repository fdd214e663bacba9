// Which addresses count as one client: the two widths, and that another spelling of an address is the same client.

import { expect, test } from 'vitest';
import { clientNetworks } from '../../../gateway/core/token/client-network.ts';

test.each([
  ['an IPv4 address', ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:192.0.2.7'], '192.0.2.7'],
  ['6to4 (RFC 3056), whatever its subnet', ['2002:c000:207::1', '2002:c000:207:ffff:1:2:3:4'], '192.0.2.7'],
  ['the translator’s well-known prefix (RFC 6052)', ['64:ff9b::192.0.2.7', '64:ff9b::c000:207'], '192.0.2.7'],
  ['a translated address (RFC 7915)', ['::ffff:0:192.0.2.7'], '192.0.2.7'],
  ['Teredo (RFC 4380), through any server', ['2001:0:1::3fff:fdf8', '2001:0:9999:1::3fff:fdf8'], '192.0.2.7'],
])('%s is one client however it is written', (_name, spellings, source) => {
  for (const spelling of spellings) {
    expect(clientNetworks(spelling)).toEqual({ source, network: '192.0.2.0/24' });
  }
});

test('all addresses of a /64 are one source, and all of a /48 one network, in any spelling', () => {
  const expected = { source: '2001:db8:1:2::/64', network: '2001:db8:1::/48' };
  for (const spelling of ['2001:db8:1:2::1', '2001:DB8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::1%eth0']) {
    expect(clientNetworks(spelling)).toEqual(expected);
  }
  expect(clientNetworks('2001:db8:1:3::1')).toEqual({ ...expected, source: '2001:db8:1:3::/64' });
  expect(clientNetworks('2001:db8:2:2::1').network).not.toBe(expected.network);
});

test('all texts that are no address count as one client', () => {
  for (const text of [
    '',
    'unknown',
    '192.0.2',
    '0300.0.2.7',
    '192.0.2.7:80',
    '[::1]',
    'x'.repeat(9999),
    ':'.repeat(9999),
  ]) {
    expect(clientNetworks(text)).toEqual({ source: 'unknown', network: 'unknown' });
  }
});
