// nginx with secure_link: MD5 over expiry, path and secret, without identity and key ids. The gateway is measured against this peer.
// Source: ngx_http_secure_link_module.

import { findNginx, startNginx } from './nginx-config.ts';
import type { Peer } from './peer.ts';

/** nginx that checks an expiring MD5 of each path. */
export const nginxSecureLink: Peer = {
  name: 'nginx-secure-link',
  title: 'nginx + secure_link',
  form: 'secure-link',
  checks: true,
  measures: 'all',
  logs: true,
  find: findNginx,
  start: (start) =>
    startNginx(start, {
      location: [
        'secure_link $arg_md5,$arg_expires;',
        `secure_link_md5 "$secure_link_expires$uri ${start.secret}";`,
        'if ($secure_link = "") { return 403; }',
        'if ($secure_link = "0") { return 410; }',
      ],
    }),
};
