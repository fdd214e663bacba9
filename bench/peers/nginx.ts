// nginx as a plain reverse proxy: with its defaults, and with one large buffer for the figures per MiB.

import { findNginx, startNginx } from './nginx-config.ts';
import type { Peer } from './peer.ts';

/** nginx with its defaults. */
export const nginx: Peer = {
  name: 'nginx',
  title: 'nginx, plain',
  form: 'bearer',
  checks: false,
  measures: 'all',
  logs: true,
  find: findNginx,
  start: (start) => startNginx(start, { location: [] }),
};

/** nginx with one large buffer and no buffering of whole answers. */
export const nginxLargeBuffer: Peer = {
  name: 'nginx-256k',
  title: 'nginx, proxy_buffering off, 256k buffer',
  form: 'bearer',
  checks: false,
  measures: 'bodies',
  logs: false,
  find: findNginx,
  // The last two lines are only there because nginx checks them against the buffer's size even with buffering off.
  start: (start) =>
    startNginx(start, {
      location: [
        'proxy_buffering off; proxy_buffer_size 256k;',
        'proxy_buffers 4 256k;',
        'proxy_busy_buffers_size 512k;',
      ],
    }),
};
