// What `latchkey demo` makes of `--host`, and what it prints: names, the listener's address, and the warnings of a demo on a network.

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type DemoHosts, loopbackHosts, readDemoHosts } from '../../../gateway/cli/demo/demo-names.ts';
import { describeDemo } from '../../../gateway/cli/demo/describe-demo.ts';
import { describeConfig } from '../../../gateway/cli/demo/prepare-demo.ts';

function textFor(hosts: DemoHosts): string {
  return describeDemo({
    hosts,
    port: 8080,
    mailsPage: 'http://127.0.0.1:9/mails/x',
    ownerSignIn: 'http://p/owner',
    guestSignIn: 'http://p/guest',
    linkUrl: 'http://m/link',
    linkPage: 'http://p/link',
    password: 'secret',
    mediaToken: 'a.bcdef.g',
    appToken: 'a.b.c',
    folder: '/data',
  });
}

function configFor(hosts: DemoHosts) {
  return parse(describeConfig({ port: 8080, hosts, mediaPort: 1, webPort: 2, notesPort: 3 }));
}

function hostsOf(text: string): DemoHosts {
  const hosts = readDemoHosts(text);
  if (hosts === null) throw new Error(`${text} was refused`);
  return hosts;
}

describe('--host', () => {
  test('without it everything is on loopback, below localhost, and nothing is warned of', () => {
    expect(configFor(loopbackHosts).listeners).toEqual([{ address: '127.0.0.1:8080' }]);
    expect(textFor(loopbackHosts)).not.toMatch(/Careful|hosts file/);
    expect(hostsOf('localhost')).toEqual(loopbackHosts);
  });

  test('an address is listened on, and four names are made up, with the line for hosts files', () => {
    const hosts = hostsOf('192.168.1.20');
    const config = configFor(hosts);
    expect(config.listeners).toEqual([{ address: '192.168.1.20:8080' }]);
    expect(config.portal.public_url).toBe('http://portal.latchkey.test:8080');
    const text = textFor(hosts);
    expect(text).toContain(
      '\n  192.168.1.20 media.latchkey.test app.latchkey.test notes.latchkey.test portal.latchkey.test\n',
    );
    expect(text).toContain('--resolve media.latchkey.test:8080:192.168.1.20');
    expect(text).not.toMatch(/[a-z]\.localhost/);
  });

  test('an address of IPv6 is listened on in brackets, with and without brackets on the command line', () => {
    expect(configFor(hostsOf('2001:db8::7')).listeners).toEqual([{ address: '[2001:db8::7]:8080' }]);
    expect(hostsOf('[2001:db8::7]')).toEqual(hostsOf('2001:db8::7'));
  });

  test('a name stands for itself and what is below it, on every address of the machine', () => {
    const hosts = hostsOf('Demo.Example.org');
    expect(configFor(hosts).listeners).toEqual([{ address: ':8080' }]);
    expect(textFor(hosts)).toContain('http://media.demo.example.org:8080/vod/summer/');
    expect(textFor(hosts)).toContain('  media.demo.example.org app.demo.example.org');
  });

  test('whoever opens it to a network is told that everything can be read there', () => {
    for (const text of ['192.168.1.20', 'demo.example.org']) {
      expect(textFor(hostsOf(text))).toMatch(/Careful: this is http on a network\. .*password, code, token and cookie/);
    }
  });

  test.each(['0.0.0.0', '::', '', 'a b', 'a_b', '-a', '1.2.3', '192.168.1.20:8080', 'http://a', 'a..b', '*.a'])(
    'refuses %j, which other machines cannot use',
    (text) => {
      expect(readDemoHosts(text)).toBeNull();
    },
  );
});

test('the printed text begins with numbered steps, from the link to the film that stops', () => {
  const text = textFor(loopbackHosts);
  expect(text.indexOf('Begin here')).toBeLessThan(text.indexOf('Then look around'));
  expect([...text.matchAll(/^ {2}(\d)\. /gm)].map(([, number]) => number)).toEqual(['1', '2', '3', '4', '5']);
});
