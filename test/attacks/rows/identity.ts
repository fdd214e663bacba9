// What a client says about itself and about where it comes from: identity headers, forwarded chains, other proxies' fields.

import { family, get, host, type RequestRow } from '../row.ts';

const { refused, passed, denied } = family('identity');

const rule = 'attacks, Headers: Caddy CVE-2026-30851';
const bearer = 'Authorization: Bearer {{token}}';
const user = ['X-Forwarded-User: user-1'];

const claimed: readonly (readonly [id: string, line: string])[] = [
  ['forwarded-user', 'X-Forwarded-User: root'],
  ['forwarded-email', 'X-Forwarded-Email: root@example.org'],
  ['forwarded-groups', 'X-Forwarded-Groups: admins'],
  ['forwarded-preferred-username', 'X-Forwarded-Preferred-Username: root'],
  ['forwarded-access-token', 'X-Forwarded-Access-Token: t'],
  ['auth-request-user', 'X-Auth-Request-User: root'],
  ['auth-request-email', 'X-Auth-Request-Email: root@example.org'],
  ['auth-request-groups', 'X-Auth-Request-Groups: admins'],
  ['remote-user', 'Remote-User: root'],
  ['remote-groups', 'Remote-Groups: admins'],
  ['remote-name', 'Remote-Name: Root'],
  ['remote-email', 'Remote-Email: root@example.org'],
  ['custom-name', 'X-Account: root'],
  ['assertion', 'X-Latchkey-Assertion: a.b.c'],
  ['grant', 'X-Latchkey-Grant: g'],
  ['device', 'X-Latchkey-Device: d'],
  ['amr', 'X-Latchkey-Amr: otp'],
  ['latchkey-token', 'Latchkey-Token: t'],
];

const forwarding: readonly (readonly [id: string, line: string])[] = [
  ['for', 'X-Forwarded-For: 192.0.2.1'],
  ['for-empty', 'X-Forwarded-For:'],
  ['proto', 'X-Forwarded-Proto: https'],
  ['forwarded-host', 'X-Forwarded-Host: admin.example'],
  ['uri', 'X-Forwarded-Uri: /open/a'],
  ['method', 'X-Forwarded-Method: DELETE'],
  ['port', 'X-Forwarded-Port: 443'],
  ['prefix', 'X-Forwarded-Prefix: /evil'],
  ['server', 'X-Forwarded-Server: evil'],
  ['scheme', 'X-Forwarded-Scheme: https'],
  ['original-url', 'X-Original-URL: /vod/a'],
  ['original-uri', 'X-Original-URI: /vod/a'],
  ['original-method', 'X-Original-Method: DELETE'],
  ['original-host', 'X-Original-Host: admin.example'],
  ['rewrite-url', 'X-Rewrite-URL: /vod/a'],
  ['real-ip', 'X-Real-IP: 192.0.2.1'],
  ['forwarded', 'Forwarded: for=192.0.2.1;host=admin.example'],
  ['request-id', 'X-Request-Id: mine'],
];

/** What other gateways and CDNs say, and a site may still believe. */
const foreign: readonly (readonly [id: string, line: string])[] = [
  ['webauth-user', 'X-WEBAUTH-USER: admin'],
  ['webauth-role', 'X-WEBAUTH-ROLE: Admin'],
  ['x-remote-user', 'X-Remote-User: root'],
  ['x-remote-group', 'X-Remote-Group: system:masters'],
  ['authentik-username', 'X-authentik-username: akadmin'],
  ['authentik-jwt', 'X-authentik-jwt: a.b.c'],
  ['auth-username', 'X-Auth-Username: akadmin'],
  ['cf-access-jwt', 'Cf-Access-Jwt-Assertion: a.b.c'],
  ['cf-access-email', 'Cf-Access-Authenticated-User-Email: root@example.org'],
  ['tailscale-login', 'Tailscale-User-Login: root@example.org'],
  ['pomerium-jwt', 'X-Pomerium-Jwt-Assertion: a.b.c'],
  ['vouch-user', 'X-Vouch-User: root@example.org'],
  ['amzn-oidc', 'X-Amzn-Oidc-Identity: root'],
  ['goog-user', 'X-Goog-Authenticated-User-Email: accounts.google.com:root@example.org'],
  ['goog-iap', 'X-Goog-Iap-Jwt-Assertion: a.b.c'],
  ['ms-principal', 'X-MS-CLIENT-PRINCIPAL-NAME: root@example.org'],
  ['consumer', 'X-Consumer-Username: root'],
  ['authenticated-userid', 'X-Authenticated-Userid: root'],
  ['userinfo', 'X-Userinfo: e30='],
  ['oidc-claim', 'OIDC-CLAIM-sub: root'],
  ['shibboleth', 'Shib-Session-ID: 1'],
  ['proxy-user', 'X-Proxy-User: admin'],
  ['siteminder', 'SM-USER: root'],
  ['webseal', 'iv-user: root'],
  ['ssl-client-dn', 'X-SSL-Client-DN: CN=root'],
  ['ssl-client-verify', 'SSL-Client-Verify: SUCCESS'],
  ['client-cert', 'X-Client-Cert: MII'],
  ['client-cert-rfc', 'Client-Cert: :MII=:'],
  ['client-cert-envoy', 'X-Forwarded-Client-Cert: Hash=1'],
  ['true-client-ip', 'True-Client-IP: 192.0.2.1'],
  ['cf-connecting-ip', 'CF-Connecting-IP: 192.0.2.1'],
  ['fastly-client-ip', 'Fastly-Client-IP: 192.0.2.1'],
  ['fly-client-ip', 'Fly-Client-IP: 192.0.2.1'],
  ['x-client-ip', 'X-Client-IP: 192.0.2.1'],
  ['cluster-client-ip', 'X-Cluster-Client-IP: 192.0.2.1'],
  ['azure-clientip', 'X-Azure-ClientIP: 192.0.2.1'],
  ['envoy-address', 'X-Envoy-External-Address: 192.0.2.1'],
  ['other-letters', 'x-wEBaUTH-uSER: admin'],
];

const spelled: readonly (readonly [id: string, line: string])[] = [
  ['blank', 'X-Forwarded-User : root'],
  ['tab', 'X-Forwarded-User\t: root'],
  ['high-byte', 'X-Forwarded-Us\xe9r: root'],
];

const decides: readonly (readonly [id: string, line: string])[] = [
  ['original-url', 'X-Original-URL: /open/a'],
  ['forwarded-uri', 'X-Forwarded-Uri: /open/a'],
  ['rewrite-url', 'X-Rewrite-URL: /open/a'],
  ['original-method', 'X-Original-Method: OPTIONS'],
  ['health-check', 'User-Agent: kube-probe/1.30'],
  ['load-balancer', 'User-Agent: GoogleHC/1.0'],
  ['elb', 'User-Agent: ELB-HealthChecker/2.0'],
  ['internal', 'X-Internal-Request: true'],
  ['client-cert', 'X-SSL-Client-Verify: SUCCESS'],
  ['user', 'X-Forwarded-User: root'],
];

const chain = (what: string, value: string) => [what, `X-Forwarded-For: ${value}`] as const;
const chains: readonly (readonly [id: string, what: string, line: string, seen: string])[] = [
  ['chain-forged', ...chain('a forged entry before the real one', '203.0.113.9, 192.0.2.1'), '192.0.2.1, 127.0.0.1'],
  [
    'chain-through-trusted',
    ...chain('the chain behind a trusted proxy', '203.0.113.9, 192.0.2.1, 10.0.0.7'),
    '192.0.2.1, 10.0.0.7, 127.0.0.1',
  ],
  ['chain-mapped', ...chain('a mapped IPv6 address', '::ffff:192.0.2.1'), '192.0.2.1, 127.0.0.1'],
  ['chain-mapped-hex', ...chain('a mapped address in hex', '::ffff:c000:201'), '192.0.2.1, 127.0.0.1'],
  ['chain-long-ipv6', ...chain('IPv6 in its long form', '2001:0DB8:0:0::1'), '2001:db8::1, 127.0.0.1'],
  ['chain-port', ...chain('an address with a port', '192.0.2.1:80'), '127.0.0.1'],
  ['chain-octal', ...chain('an octal address', '0300.0.2.1'), '127.0.0.1'],
  ['chain-decimal', ...chain('an address as one number', '3221225985'), '127.0.0.1'],
  ['chain-quoted', ...chain('a quoted address', '"192.0.2.1"'), '127.0.0.1'],
  ['chain-unknown', ...chain('a word', 'unknown'), '127.0.0.1'],
  ['chain-empty-member', ...chain('an empty member', '192.0.2.1, ,10.0.0.7'), '10.0.0.7, 127.0.0.1'],
  ['chain-zone', ...chain('an address with a zone', 'fe80::1%eth0'), '127.0.0.1'],
  [
    'chain-hundreds',
    ...chain('five hundred forged entries', `${'203.0.113.7, '.repeat(500)}192.0.2.1`),
    '192.0.2.1, 127.0.0.1',
  ],
  [
    'chain-two-fields',
    'two fields',
    'X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1',
    '192.0.2.1, 127.0.0.1',
  ],
];

export const identityRows: readonly RequestRow[] = [
  ...claimed.map(([id, line]) =>
    passed(`anonymous-${id}`, `${line} on an open route`, get('/open/a', line), rule, { line: 'GET /open/a' }),
  ),
  ...claimed.map(([id, line]) =>
    passed(`signed-in-${id}`, `${line} beside a good token`, get('/vod/a', line, bearer), rule, {
      line: 'GET /vod/a',
      identity: user,
    }),
  ),
  ...forwarding.map(([id, line]) =>
    passed(
      `untrusted-${id}`,
      `${line} from anyone`,
      get('/open/a', line),
      'oauth2-proxy CVE-2026-40575, Traefik CVE-2026-35051',
      { line: 'GET /open/a' },
    ),
  ),
  ...foreign.map(([id, line]) =>
    passed(
      `foreign-${id}`,
      `${line}, as another gateway would say it`,
      get('/open/a', line),
      'conventions, identity headers',
      { line: 'GET /open/a' },
    ),
  ),
  ...foreign.map(([id, line]) =>
    passed(
      `foreign-trusting-${id}`,
      `${line} from a listed proxy that nobody asked to say it`,
      get('/open/a', line),
      'conventions, identity headers',
      { line: 'GET /open/a' },
      { gateway: 'trusting' },
    ),
  ),
  passed(
    'foreign-nominated',
    'names of other gateways that Connection lists',
    get('/open/a', 'Connection: X-WEBAUTH-USER, Proxy', 'X-WEBAUTH-USER: admin', 'Proxy: http://192.0.2.1:8080'),
    'conventions, identity headers',
    { line: 'GET /open/a' },
  ),
  ...['Proxy', 'proxy', 'PROXY'].map((name) =>
    passed(
      `httpoxy-${name}`,
      `${name}, which programs behind CGI take for a setting of their own`,
      get('/open/a', `${name}: http://192.0.2.1:8080`),
      'CVE-2016-5385',
      { line: 'GET /open/a' },
      { gateway: 'trusting' },
    ),
  ),
  passed(
    'not-foreign',
    'names that only resemble them',
    get('/open/a', 'X-Auth-Token: t', 'X-User-Id: 7', 'X-SSLClient: 1', 'Proxy-Id: 1', 'X-Access-Token: t'),
    'conventions, identity headers',
    {
      line: 'GET /open/a',
      fields: ['X-Auth-Token: t', 'X-User-Id: 7', 'X-SSLClient: 1', 'Proxy-Id: 1', 'X-Access-Token: t'],
    },
  ),
  passed(
    'foreign-ids',
    'what CDNs say of a request, and not of who asks',
    get('/open/a', 'CF-Ray: 1', 'CF-IPCountry: DE', 'CF-Visitor: {"scheme":"https"}', 'X-Amz-Cf-Id: 1'),
    'conventions, identity headers',
    {
      line: 'GET /open/a',
      fields: ['CF-Ray: 1', 'CF-IPCountry: DE', 'CF-Visitor: {"scheme":"https"}', 'X-Amz-Cf-Id: 1'],
    },
  ),
  ...spelled.map(([id, line]) =>
    refused(
      `spelled-${id}`,
      `an identity header spelled ${JSON.stringify(line)}`,
      get('/open/a', line),
      'oauth2-proxy CVE-2025-64484, Traefik CVE-2026-54763',
    ),
  ),
  ...decides.map(([id, line]) =>
    denied(
      `decides-nothing-${id}`,
      `${line} opens nothing`,
      get('/vod/a', line),
      'oauth2-proxy CVE-2026-34457, CVE-2026-40575',
    ),
  ),
  ...chains.map(([id, what, line, forwardedFor]) =>
    passed(
      id,
      what,
      get('/open/a', line),
      'fastify CVE-2026-3635',
      { line: 'GET /open/a', forwardedFor },
      { gateway: 'trusting' },
    ),
  ),
  passed('other-case', 'an identity header in other letters', get('/open/a', 'x-fOrWaRdEd-uSeR: root'), rule, {
    line: 'GET /open/a',
  }),
  passed(
    'repeated',
    'an identity header several times among honest fields',
    get('/open/a', 'A: 1', 'X-Forwarded-User: root', 'B: 2', 'X-Forwarded-User: root'),
    rule,
    { line: 'GET /open/a', fields: ['A: 1', 'B: 2'] },
  ),
  passed(
    'token-on-open-route',
    'a token where none is asked for says nobody’s name, and is not kept from the upstream',
    (make) => get('/open/a', 'X-Forwarded-User: root', `Authorization: Bearer ${make.token()}`),
    rule,
    /^GET \/open\/a HTTP\/1\.1\r\nHost: media\.example\r\nAuthorization: Bearer [^\r]+\r\nX-Forwarded-For: 127\.0\.0\.1\r\n(?!.*X-Forwarded-User)/s,
  ),
  passed(
    'claim-missing',
    'a header whose claim is missing is removed all the same',
    (make) =>
      get('/vod/a', 'X-Forwarded-Email: root@example.org', `Authorization: Bearer ${make.token({ sub: 'anna' })}`),
    rule,
    { line: 'GET /vod/a', identity: ['X-Forwarded-User: anna'] },
  ),
  passed(
    'custom-preset',
    'a route with names of its own',
    get('/custom/a', 'X-Account: root', 'X-Forwarded-User: root', bearer),
    rule,
    { line: 'GET /custom/a', identity: ['X-Account: user-1'] },
  ),
  passed(
    'trusted-user',
    'a listed proxy says no names either',
    get('/open/a', 'X-Forwarded-User: root', 'Remote-User: root'),
    rule,
    { line: 'GET /open/a' },
    { gateway: 'trusting' },
  ),
  passed(
    'trusted-proto',
    'the last word of a listed proxy counts',
    get(
      '/open/a',
      'X-Forwarded-Proto: ftp',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: a.example',
      'X-Forwarded-Host: b.example',
    ),
    rule,
    { line: 'GET /open/a', forwardedProto: 'https', forwardedHost: 'b.example' },
    { gateway: 'trusting' },
  ),
  passed(
    'trusted-proto-junk',
    'a scheme that is none',
    get('/open/a', 'X-Forwarded-Proto: gopher'),
    rule,
    { line: 'GET /open/a' },
    { gateway: 'trusting' },
  ),
  denied(
    'trusted-uri',
    'a listed proxy’s X-Forwarded-Uri routes nothing',
    get('/vod/a', 'X-Forwarded-Uri: /open/a'),
    'oauth2-proxy CVE-2026-40575',
    401,
    { gateway: 'trusting' },
  ),
  denied(
    'address-forged',
    'a token for another address is not opened by a field',
    (make) =>
      get('/vod/a', 'X-Forwarded-For: 192.0.2.1', `Authorization: Bearer ${make.token({ ips: ['192.0.2.1'] })}`),
    'fastify CVE-2026-3635',
    403,
  ),
  denied(
    'address-forged-left',
    'nor by the left end of a trusted proxy’s chain',
    (make) =>
      get(
        '/vod/a',
        'X-Forwarded-For: 192.0.2.1, 203.0.113.9',
        `Authorization: Bearer ${make.token({ ips: ['192.0.2.1'] })}`,
      ),
    'fastify CVE-2026-3635',
    403,
    { gateway: 'trusting' },
  ),
  passed(
    'our-cookies',
    'cookies of ours end here, others stay byte for byte',
    get('/open/a', 'Cookie: a=1;  b="2"; latchkey=x; __Host-latchkey=y;c=3'),
    'conventions, identity headers',
    { line: 'GET /open/a', fields: ['Cookie: a=1;  b="2";c=3'] },
  ),
  passed(
    'our-cookie-alone',
    'a Cookie field with nothing but ours goes',
    get('/open/a', 'Cookie: latchkey_pass=x'),
    'conventions, identity headers',
    { line: 'GET /open/a' },
  ),
  passed(
    'cookie-like-ours',
    'a cookie that only resembles ours stays',
    get('/open/a', 'Cookie: xlatchkey=1; latchkeys=2'),
    'conventions, identity headers',
    { line: 'GET /open/a', fields: ['Cookie: xlatchkey=1; latchkeys=2'] },
  ),
  passed(
    'host-route',
    'a host’s own route',
    get('/host/a', 'Host: admin.example', bearer),
    'connection contamination',
    { line: 'GET /host/a', host: 'admin.example', identity: user },
  ),
  refused(
    'crlf-in-claim',
    'a line end in a value',
    get('/open/a', `X-Name: a\r\n\r\nGET /vod/a HTTP/1.1\r\nHost: ${host}\r\nX: \0`),
    'CWE-93',
    400,
    { answers: [200, 400], upstream: [{ line: 'GET /open/a', fields: ['X-Name: a'] }] },
  ),
];
