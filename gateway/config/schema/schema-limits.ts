// The limits of the configuration file: what clients may hold, send and take, for the whole gateway and per route.
// One value at a time; defaults are here, and assemble/assemble-route.ts puts a route's own values in their place.

import { z } from 'zod';
import { durationMs, sizeBytes, sizeLimit, wordOf } from './values.ts';

const count = (least: number, most: number) => z.number().int().min(least).max(most);

/** Upper bound of every timeout: a day. Node's timers end at 24.8 days. */
export const timeout = durationMs('1ms', '1d');

const maxBody = sizeLimit;
const minRate = sizeBytes('1GiB');

/** What a route may set for itself. */
export const routeLimits = z.strictObject({
  max_body: maxBody.optional().meta({ description: 'longest request body, or unlimited; 413 beyond; default 1GiB' }),
  min_request_rate: minRate.optional().meta({
    description: 'bytes a second of a request body, over `limits.rate_window` of its time; 0B for none; default 100B',
  }),
  min_response_rate: minRate.optional().meta({
    description: 'bytes a second that the client takes while it has some to take; 0B for none, the default',
  }),
});

/** `limits` of the whole file. */
export const limits = z.strictObject({
  head_timeout: timeout.prefault('10s').meta({ description: 'for a whole request head' }),
  client_keep_alive: timeout.prefault('65s'),
  upstream_keep_alive: timeout.prefault('4s'),
  max_connections: count(1, 1_000_000).prefault(16_384).meta({ description: 'open client connections, per edge' }),
  max_connections_per_address: z
    .union([wordOf('value', ['unlimited']), count(1, 1_000_000)])
    .prefault('unlimited')
    .meta({
      description: 'open connections of one client address or IPv6 /64, per edge; trusted proxies do not count',
    }),
  max_event_loop_delay: timeout
    .prefault('500ms')
    .meta({ description: 'an edge that runs this late refuses requests without a verified token with 503' }),
  drain_timeout: timeout
    .prefault('10s')
    .meta({ description: 'running requests may take this long when latchkey ends' }),
  max_body: maxBody.prefault('1GiB').meta({ description: 'longest request body, or unlimited; 413 beyond' }),
  min_request_rate: minRate.prefault('100B').meta({
    description: 'bytes a second of a request body, over `limits.rate_window` of its time; 0B for none',
  }),
  min_response_rate: minRate.prefault('0B').meta({
    description: 'bytes a second that the client takes while it has some to take; 0B for none',
  }),
  rate_window: durationMs('1s', '1h')
    .prefault('30s')
    .meta({ description: 'what both rates are averaged over; a client has this long before it is judged' }),
});

/** When the file is read again. */
export const reload = z
  .strictObject({
    watch: z
      .boolean()
      .prefault(true)
      .meta({ description: 'read this file and the keys and certificates it names again when they change' }),
    interval: durationMs('50ms', '1h').prefault('1s').meta({ description: 'between two looks at the files' }),
  })
  .prefault({});
