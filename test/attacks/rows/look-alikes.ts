// Names that some server cannot tell from one that matters: CGI, WSGI and PHP make one variable of `X_Forwarded_User` and of
// `X-Forwarded-User`. They are dropped, whatever the route, and all around them stays.

import { family, get, type RequestRow } from '../row.ts';

const { passed } = family('identity');

const lookAlikes: readonly (readonly [id: string, line: string])[] = [
  ['underscores', 'X_Forwarded_User: root'],
  ['dots', 'X.Forwarded.User: root'],
  ['one-underscore', 'X-Forwarded_User: root'],
  ['tildes', 'X~Forwarded~User: root'],
  ['remote-dot', 'Remote.User: root'],
  ['remote-underscore', 'REMOTE_USER: root'],
  ['custom-underscore', 'X_Account: root'],
  ['assertion-underscores', 'X_Latchkey_Assertion: a'],
  ['forwarded-for-underscores', 'X_Forwarded_For: 203.0.113.7'],
  ['forwarded-proto-dots', 'X.Forwarded.Proto: https'],
  ['original-url-underscores', 'X_Original_URL: /admin'],
  ['real-ip-underscores', 'X_Real_IP: 203.0.113.7'],
  ['request-id-underscores', 'X_Request_ID: evil'],
  ['webauth-underscores', 'X_WEBAUTH_USER: admin'],
  ['length-underscore', 'Content_Length: 5'],
  ['coding-underscore', 'Transfer_Encoding: chunked'],
  ['coding-dot', 'Transfer.Encoding: chunked'],
  ['proxy-authorization-underscore', 'Proxy_Authorization: Basic YTpi'],
  ['keep-alive-underscore', 'Keep_Alive: 300'],
  ['http2-settings-underscore', 'HTTP2_Settings: AAMAAABkAAQAAP__'],
];

export const lookAlikeRows: readonly RequestRow[] = lookAlikes.map(([id, line]) =>
  passed(
    `spelled-${id}`,
    `a name that matters spelled ${JSON.stringify(line)}`,
    get('/open/a', 'A: 1', line, 'B: 2'),
    'oauth2-proxy CVE-2025-64484, Traefik CVE-2026-54763',
    { line: 'GET /open/a', fields: ['A: 1', 'B: 2'] },
  ),
);
