// The two ends of a name. To many sites `/admin` and `/admin/` are one place, and so is what they drop from a name's end: no
// spelling may be judged by a looser route than its neighbour. The gateway has an open folder with a protected folder
// (`/open/admin/`) and a protected page (`/open/exact`) in it.

import { family, get, type RequestRow, request } from '../row.ts';

const { denied, row } = family('path-ends');

const reference = 'RFC 9110 §15.4.9, Apache mod_dir';
const wide = { gateway: 'wide' } as const;

function led(
  id: string,
  what: string,
  bytes: RequestRow['bytes'],
  location: string | RegExp,
  method = 'GET',
): RequestRow {
  const contains =
    typeof location === 'string'
      ? new RegExp(`^HTTP/1\\.1 308 [\\s\\S]*\\r\\nLocation: ${location.replace(/[.?*+()[\]|^$\\]/g, '\\$&')}\\r\\n`)
      : location;
  return row(id, what, bytes, reference, {
    answers: [308],
    after: 'open',
    upstream: 'nothing',
    methods: [method],
    contains,
    ...wide,
  });
}

const elsewhere: readonly (readonly [id: string, what: string, path: string])[] = [
  ['exact-slash', 'a protected page with a slash behind it', '/open/exact/'],
  ['exact-parameter', 'a protected page with a parameter', '/open/exact;x=1'],
  ['exact-encoded-parameter', 'a protected page with an encoded parameter', '/open/exact%3Bx'],
  ['exact-parameter-slash', 'a protected page with a parameter and a slash', '/open/exact;x/'],
  ['exact-dot', 'a protected page with a dot behind it', '/open/exact.'],
  ['exact-dots', 'a protected page with dots behind it', '/open/exact...'],
  ['exact-blank', 'a protected page with a blank behind it', '/open/exact%20'],
  ['exact-blank-dot', 'a protected page with a blank and a dot behind it', '/open/exact%20.'],
  ['exact-question', 'a protected page with an encoded question mark behind it', '/open/exact%3Fx'],
  ['exact-hash', 'a protected page with an encoded number sign behind it', '/open/exact%23x'],
  ['folder-parameter', 'a protected folder’s name with a parameter', '/open/admin;x'],
  ['folder-dot', 'a protected folder’s name with a dot', '/open/admin.'],
  ['folder-dot-slash', 'a protected folder with a dot in its name’s end', '/open/admin./secret'],
  ['folder-blank-slash', 'a protected folder with a blank in its name’s end', '/open/admin%20/secret'],
  ['folder-question', 'a protected folder’s name with an encoded question mark', '/open/admin%3F'],
];

export const pathEndRows: readonly RequestRow[] = [
  led('folder', 'the name of a protected folder', get('/open/admin'), '/open/admin/'),
  led('folder-head', 'the same with HEAD', request('HEAD', '/open/admin', []), '/open/admin/', 'HEAD'),
  led('folder-query', 'the query comes along', get('/open/admin?x=/y&z'), '/open/admin/?x=/y&z'),
  led(
    'folder-query-raw',
    'what breaks headers is encoded',
    get('/open/admin?"<\xc3\xbc>'),
    '/open/admin/?%22%3C%C3%BC%3E',
  ),
  led('folder-encoded', 'the name with an encoded letter', get('/open/%61dmin'), '/open/admin/'),
  led(
    'folder-absolute',
    'in absolute form it stays on its own host',
    get('http://media.example/open/admin'),
    '/open/admin/',
  ),
  led(
    'folder-path-form',
    'a token in the path stays in front of it',
    (make) => get(`/.t/${make.token()}/open/admin`),
    /\r\nLocation: \/\.t\/[\w-]+\.[\w-]+\.[\w-]+\/open\/admin\/\r\n/,
  ),
  led(
    'folder-token',
    'whoever may come in is led there as well',
    get('/open/admin', 'Authorization: Bearer {{token}}'),
    '/open/admin/',
  ),
  ...['POST', 'PUT', 'DELETE', 'PROPFIND', 'OPTIONS', 'get'].map((method) =>
    denied(
      `folder-${method === 'get' ? 'lower-case-get' : method.toLowerCase()}`,
      `${method} to the name of a protected folder is led nowhere`,
      request(method, '/open/admin', []),
      reference,
      400,
      wide,
    ),
  ),
  denied('folder-itself', 'the folder is asked for its token', get('/open/admin/'), reference, 401, wide),
  ...elsewhere.map(([id, what, path]) => denied(id, what, get(path), reference, 400, wide)),
  denied('exact-dot-segment', 'a protected page and a dot segment', get('/open/exact/.'), reference, 400, {
    ...wide,
    after: 'closed',
  }),
];
