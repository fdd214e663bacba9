// The sections for the control plane: how valid ones are read, and which problems and warnings the others cause.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withoutSecrets } from '../../../gateway/config/compiled/config.ts';
import { formatProblem } from '../../../gateway/config/problems/format.ts';
import { canonicalHost } from '../../../gateway/core/decision/route/host.ts';
import { CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { ConfigFolder, minimalYaml } from '../../support/rigs/config-folder.ts';

let folder: ConfigFolder;
let certificates: CertificateFolder;

beforeAll(() => {
  certificates = new CertificateFolder();
});

afterAll(() => {
  certificates.remove();
});

beforeEach(() => {
  folder = new ConfigFolder();
});

afterEach(() => {
  folder.remove();
});

/** What makes an https `public_url` true. */
const behindTls = 'trusted_proxies: [127.0.0.1]\n';

const sections = `
trusted_proxies: [127.0.0.1]
store: postgres://latchkey:hidden@db.example.org/latchkey
portal: { public_url: "https://Portal.Example.org" }
accounts: { registration: open, domains: [Example.org] }
mail: { from: "latchkey <keys@example.org>", smtp: "smtp://user:hidden@127.0.0.1:1025" }
collections:
  - { name: summer, host: Media.Example.org, path: /vod/summer/, owners: [Owner@Example.org, "o@B\u00fccher.example"] }
links: { key_parameter: k, token_parameter: t }
`;

test('the sections are read into the forms that requests are compared in', () => {
  const config = folder.config(minimalYaml + sections);
  expect(config.store).toEqual({
    kind: 'postgres',
    url: 'postgres://latchkey:hidden@db.example.org/latchkey',
  });
  expect(config.portal).toEqual({
    publicUrl: 'https://portal.example.org',
    host: 'portal.example.org',
    name: 'latchkey',
    contact: null,
    logoFile: null,
    hosts: [],
  });
  expect(config.accounts).toEqual({
    registration: 'open',
    domains: ['example.org'],
    limits: { mailsPerHour: 500, requestsPerNetwork: 100, unverifiedAccounts: 10_000 },
  });
  expect(config.collections).toEqual([
    {
      name: 'summer',
      host: 'media.example.org',
      path: '/vod/summer/',
      owners: ['owner@example.org', 'o@xn--bcher-kva.example'],
      methods: null,
    },
  ]);
  expect(config.links).toEqual({ keyParameter: 'k', tokenParameter: 't', defaultAccessSeconds: null });
});

test('a collection may have no owner, and says which methods members may use: GET includes HEAD', () => {
  const yaml = `portal: { public_url: "http://portal.localhost:8080" }
mail: { from: a@b.example, smtp: "smtps://mail.example" }
collections:
  - { name: cam, host: media.localhost, path: /cam/hillside/, methods: [GET] }
  - { name: drop, host: media.localhost, path: /cam/drop/, methods: [PUT, GET, PUT] }
`;
  const member = minimalYaml
    .replace('accept: [token]', 'accept: [member]')
    .replace('name: app,', 'name: app, host: media.localhost,');
  const loaded = folder.load(member + yaml);
  if (loaded.kind === 'invalid') throw new Error(loaded.problems[0]?.problem);
  expect(loaded.warnings).toEqual([]);
  expect(loaded.config.collections.map(({ owners, methods }) => [owners, methods])).toEqual([
    [[], ['GET', 'HEAD']],
    [[], ['GET', 'HEAD', 'PUT']],
  ]);
});

test('a default end of access is read for all links, and for those of one collection', () => {
  const collection = 'name: a, host: x.example, path: /a/, owners: [o@x.example]';
  const yaml = `portal: { public_url: "http://portal.localhost:8080" }
links: { default_access: 90d }
collections: [{ ${collection}, default_access: none }]
`;
  const config = folder.config(minimalYaml + yaml);
  expect([config.links.defaultAccessSeconds, config.collections[0]?.defaultAccessSeconds]).toEqual([90 * 86_400, null]);
});

test('what a file leaves out of sharing has a default, and whom people invite follows who may register', () => {
  const open = folder.config(minimalYaml).sharing;
  expect(open).toEqual({
    invite: 'anyone',
    reshareDepth: 0,
    expiresSeconds: 30 * 86_400,
    requestWindowSeconds: 900,
    resendSeconds: 60,
    perSender: { count: 50, seconds: 3600 },
    perAddress: { count: 10, seconds: 3600 },
  });
  const invited = `accounts: { registration: invited }\n`;
  expect(folder.config(minimalYaml + invited).sharing).toEqual({ ...open, invite: 'known' });
  const written =
    'sharing: { invite: anyone, reshare_depth: 6, expires: 1h, request_window: 1h, resend: 1s, per_sender: 3/s }';
  expect(folder.config(minimalYaml + invited + written).sharing).toEqual({
    ...open,
    reshareDepth: 6,
    expiresSeconds: 3600,
    requestWindowSeconds: 3600,
    resendSeconds: 1,
    perSender: { count: 3, seconds: 1 },
  });
});

test('no password of the store or of the mail server goes to an edge', () => {
  const config = folder.config(minimalYaml + sections);
  expect(JSON.stringify(config)).toContain('hidden');
  expect(JSON.stringify(withoutSecrets(config))).not.toContain('hidden');
});

test.each([
  ['store: mysql://x', 'store: is neither sqlite nor the URL of a PostgreSQL'],
  ['portal: { public_url: "https://portal.example.org/path" }', 'portal.public_url: '],
  ['portal: { public_url: "portal.example.org" }', 'is not the URL of a host'],
  ['mail: { from: a@b }', 'mail: no way to send is named (name one of smtp, webhook, log)'],
  ['mail: { from: a@b, smtp: "smtp://a", log: ./x }', 'mail: smtp and log are two ways to send'],
  ['mail: { from: a@b, webhook: "https://a/" }', 'mail.webhook_secret_file: is missing'],
  ['mail: { from: "a, b <c@d>, e@f", log: ./x }', 'mail.from: is not a sender'],
  ['mail: { from: a@b, smtp: "smtp://u:p@a?tls=off" }', 'mail.smtp: has a query that means nothing'],
  ['mail: { from: a@b, smtp: "http://a/" }', 'mail.smtp: is not a URL that begins with smtp:// or smtps://'],
  ['links: { default_access: 90 days }', 'links.default_access: "90 days" is not a duration (write 90d, 12h, or none)'],
  ['links: { default_access: 10s }', 'links.default_access: 10s is too short (at least 1m)'],
  [
    'collections: [{ name: a, host: x.example, path: /a/, methods: [get] }]',
    'collections[0].methods[0]: "get" is not a method (upper case, at most 32 characters, like GET or PROPFIND)',
  ],
  ['collections: [{ name: a, host: x.example, path: /a/, methods: [] }]', 'collections[0].methods: '],
  ['sharing: { invite: everyone }', 'sharing.invite: unknown choice "everyone"'],
  ['sharing: { reshare_depth: 7 }', 'sharing.reshare_depth: '],
  ['sharing: { expires: 59m }', 'sharing.expires: 59m is too short (at least 1h)'],
  ['sharing: { expires: 366d }', 'sharing.expires: 366d is too long (at most 365d)'],
  ['sharing: { request_window: 30s }', 'sharing.request_window: 30s is too short (at least 1m)'],
  ['sharing: { request_window: 2h }', 'sharing.request_window: 2h is too long (at most 1h)'],
  ['sharing: { per_sender: 50/d }', 'sharing.per_sender: "50/d" is not a rate (write 10/s, 100/m or 1000/h)'],
  ['sharing: { per_adress: 5/h }', 'sharing.per_adress: unknown key (did you mean "per_address"?)'],
  ['links: { key_parameter: token }', 'links: two of our parameters have one name'],
  [
    'collections: [{ name: a, host: x.example, path: /a, owners: [o@x.example] }]',
    'collections[0].path: "/a" is not a folder (write "/a/")',
  ],
  [
    'collections: [{ name: a, host: x.example, path: /a/, owners: [nobody] }]',
    'collections[0].owners[0]: "nobody" is not a mail address (write owner@example.org)',
  ],
  ['collections: [{ name: a, host: x.example, path: /a/, owners: [o@x.example] }]', 'portal: is missing'],
])('%s is refused', (yaml, problem) => {
  expect(folder.problems(minimalYaml + yaml).join('\n')).toContain(problem);
});

test('mails to a file, a portal on the host of a route and a collection without a route are warnings', () => {
  const yaml = `
portal: { public_url: "http://app.localhost:8080" }
mail: { from: a@b, log: ./mails }
collections: [{ name: a, host: x.example, path: /a/, owners: [o@x.example] }]
`;
  const loaded = folder.load(minimalYaml.replace('name: app,', 'name: app, host: app.localhost,') + yaml);
  const places = loaded.kind === 'loaded' ? loaded.warnings.map(({ path }) => path) : ['not loaded'];
  expect(places).toEqual(expect.arrayContaining(['mail.log', 'portal.public_url', 'collections[0]']));
});

test('sharing that can never happen is a warning: without mail, or with nobody whom a domain lets in', () => {
  const warnings = (yaml: string) => {
    const loaded = folder.load(`${minimalYaml}portal: { public_url: "http://portal.localhost:8080" }\n${yaml}`);
    return loaded.kind === 'loaded'
      ? loaded.warnings.map(({ path, problem }) => `${path}: ${problem}`)
      : ['not loaded'];
  };
  const mail = 'mail: { from: a@b.example, smtp: "smtps://mail.example" }\n';
  expect(warnings('sharing: { expires: 7d }')).toContain('sharing: sharing is refused without mail');
  expect(warnings('').join()).not.toContain('sharing');
  expect(warnings(`${mail}sharing: { invite: domains }`)).toEqual([
    'sharing.invite: accounts.domains is empty, so a key can be shared with nobody',
  ]);
  expect(warnings(`${mail}accounts: { domains: [a.example] }\nsharing: { invite: domains }`)).toEqual([]);
});

test('a portal without mail, and a route to which a sign-in cannot return, are warnings', () => {
  const yaml = minimalYaml.replace('accept: [token]', 'accept: [session]');
  const loaded = folder.load(`${yaml}${behindTls}portal: { public_url: "https://portal.example.org" }\n`);
  const places = loaded.kind === 'loaded' ? loaded.warnings.map(({ path }) => path) : ['not loaded'];
  expect(places).toEqual(expect.arrayContaining(['mail', 'routes[0]']));
  const named = folder.load(
    `${yaml.replace('name: app,', 'name: app, host: app.example.org,')}${behindTls}portal: { public_url: "https://portal.example.org" }
mail: { from: a@b.example, smtp: "smtps://mail.example" }
`,
  );
  expect(named.kind === 'loaded' && named.warnings).toEqual([]);
});

test('a host where people cannot be signed in, and a wildcard that covers too many hosts, are warnings', () => {
  const warnings = (hosts: string, routeHost = "'*.apps.example'"): readonly string[] => {
    const loaded =
      folder.load(`${minimalYaml.replace('accept: [token]', `host: ${routeHost}, accept: [session]`)}${behindTls}
portal: { public_url: "https://portal.example.org", hosts: ${hosts} }
mail: { from: a@b.example, smtp: "smtps://mail.example" }
`);
    if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
    return loaded.warnings.map(({ path, problem }) => `${path} ${problem}`);
  };
  expect(warnings('[]')).toEqual(['routes[0] people who sign in cannot be sent back here: a wildcard names no host']);
  expect(warnings('[One.apps.example]')).toEqual([]);
  expect(warnings('[one.else.example]')).toEqual([
    'routes[0] people who sign in cannot be sent back here: a wildcard names no host',
    'portal.hosts[0] no route has the host one.else.example',
  ]);
  expect(warnings("['*.apps.example']")).toEqual([
    'portal.hosts[0] sign-ins are sent to every name below apps.example, also to one whose DNS somebody else controls',
  ]);
  expect(warnings('[]', 'one.apps.example')).toEqual([]);
  expect(
    folder.problems(`${minimalYaml}portal: { public_url: "https://p.example", hosts: ["a:80"] }`).join(),
  ).toContain('portal.hosts[0]: ');
});

test('a route that lets any account into a collection, and a route inside one that accepts no members, are warnings', () => {
  const loaded = folder.load(`
listeners: [{ address: 127.0.0.1:0 }]
portal: { public_url: "http://[::1]:8080" }
mail: { from: a@b.example, smtp: "smtps://mail.example" }
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
collections: [{ name: summer, host: m.example, path: /vod/summer/, owners: [o@m.example] }]
routes:
  - { name: vod, host: m.example, path: /vod/, upstream: web, accept: [token, session, member] }
  - { name: extras, host: m.example, path: /vod/summer/extras/, upstream: web, accept: [token] }
`);
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.warnings.map(({ path, problem }) => `${path} ${problem}`)).toEqual([
    'routes[0].accept lets any account into collections[0]',
    'routes[1].accept is inside collections[0], and a link opened there would reach the site with its token',
  ]);
  // as a request's host is written, so that a session made for it holds there
  expect(loaded.config.portal?.host).toBe(canonicalHost('[::1]:8080'));
});

describe('the scheme of portal.public_url', () => {
  const portal = (url: string) => `${minimalYaml}portal: { public_url: "${url}" }\n`;
  const warnings = (yaml: string): string[] => {
    const loaded = folder.load(yaml);
    if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
    return loaded.warnings.map(formatProblem).filter((line) => line.startsWith('portal.public_url'));
  };
  const refusal =
    'portal.public_url: says https, but no listener here ends TLS and no proxy is trusted that does ' +
    '(give a listener tls, or name the proxy that ends TLS in trusted_proxies)';

  test('attack: cookies in the clear. https is refused where neither a listener nor a proxy provides it', () => {
    expect(folder.problems(portal('https://portal.example.org'))).toEqual([refusal]);
    expect(folder.problems(portal('https://portal.localhost:8443'))).toEqual([refusal]);
    expect(folder.problems(`${portal('https://portal.example.org')}trusted_proxies: []\n`)).toEqual([refusal]);
    const redirects = portal('https://portal.example.org').replace(
      'address: 127.0.0.1:0 }',
      'address: 127.0.0.1:0, redirect_to_https: true }',
    );
    expect(folder.problems(redirects)).toContain(refusal);
    const balanced = portal('https://portal.example.org').replace(
      'address: 127.0.0.1:0 }',
      'address: 127.0.0.1:0, proxy_protocol: { from: [192.0.2.1] } }',
    );
    expect(folder.problems(balanced)).toContain(refusal);
  });

  test('https is accepted with a trusted proxy, or when one listener has tls', () => {
    expect(folder.problems(`${portal('https://portal.example.org')}${behindTls}`)).toEqual([]);
    const { certFile, keyFile } = certificates.issue({ names: ['portal.example.org'] });
    const tls = `{ address: 127.0.0.1:0, tls: { certificates: [{ cert_file: ${certFile}, key_file: ${keyFile} }] } }`;
    const yaml = portal('https://portal.example.org');
    expect(folder.problems(yaml.replace('listeners: [', `listeners: [${tls}, `))).toEqual([]);
    expect(folder.problems(yaml.replace('{ address: 127.0.0.1:0 }', tls))).toEqual([]);
  });

  test('a part that could not be read does not cause this problem as well', () => {
    const broken = portal('https://portal.example.org').replace('address: 127.0.0.1:0', 'adress: 127.0.0.1:0');
    expect(folder.problems(broken).join()).toContain('adress');
  });

  test.each(['http://localhost:8080', 'http://portal.localhost', 'http://127.0.0.1:8080', 'http://[::1]'])(
    '%s is for trying things out on this machine',
    (url) => {
      expect(folder.problems(portal(url))).toEqual([]);
      expect(warnings(portal(url))).toEqual([]);
    },
  );

  test.each(['http://portal.example.org', 'http://192.0.2.1', 'http://localhost.example.org', 'http://127.example'])(
    '%s is warned of',
    (url) => {
      expect(warnings(portal(url))).toEqual([expect.stringMatching(/says http, and .* is no name of this machine/)]);
    },
  );
});
