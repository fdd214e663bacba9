// Gateways of the attack suite, each with its own upstream, so that the bytes that an upstream saw belong to one row.
// A lane runs one row at a time; rows of one kind are spread over the lanes of that kind.

import { createHmac } from 'node:crypto';
import { epochSeconds } from '../../gateway/telemetry/clock.ts';
import { RawClient } from '../support/clients/raw-client.ts';
import { connectTls } from '../support/clients/tls-client.ts';
import { CertificateFolder } from '../support/rigs/certificate-folder.ts';
import { type FileInput, gatewaySecret, startGateway, type TestGateway } from '../support/rigs/gateway.ts';
import type { GatewayKind, Making } from './row.ts';
import { TapUpstream } from './tap.ts';

/** A gateway in front of a recording upstream. */
export interface Lane {
  readonly kind: GatewayKind;
  readonly port: number;
  readonly tap: TapUpstream;
  readonly making: Making;
  /** A connection that is ready for requests. */
  connect(): Promise<RawClient>;
  close(): Promise<void>;
}

/** Lanes of each kind: the plain ones do nearly all of the work, the hasty one waits for timeouts. */
const lanesOfKind: Readonly<Record<GatewayKind, number>> = {
  plain: 4,
  trusting: 1,
  hasty: 6,
  wide: 1,
  pipelined: 2,
  proxied: 1,
  tls: 2,
};

/** The PROXY protocol header that a balancer in front of the `proxied` kind sends first. */
const preamble = 'PROXY TCP4 203.0.113.9 198.51.100.1 56324 80\r\n';

/** A dozen gateways share this process with their clients and upstreams, so the event loop may run late without an attack. */
const patient = { max_event_loop_delay: '1m' };

function configOf(kind: GatewayKind, url: string, certificates: CertificateFolder): FileInput {
  const route = (name: string, rest: object = {}): FileInput['routes'][number] => ({
    name,
    path: `/${name}/`,
    upstream: 'web',
    accept: ['token'],
    ...rest,
  });
  const slashes = kind === 'wide' ? { encoded_slash: 'keep' } : {};
  const made = kind === 'tls' ? certificates.issue({ names: ['media.example'] }) : null;
  const own =
    made !== null
      ? { tls: { certificates: [{ cert_file: made.certFile, key_file: made.keyFile }] } }
      : kind === 'proxied'
        ? { proxy_protocol: { from: ['127.0.0.0/8'] } }
        : {};
  return {
    listeners: [{ address: '127.0.0.1:0', ...own }],
    portal: { public_url: 'http://portal.example' },
    upstreams: { web: { servers: [url], ...(kind === 'pipelined' ? { pipelining: 4 } : {}) } },
    routes: [
      route('open', { accept: ['anyone'], ...slashes }),
      route('vod', slashes),
      ...(kind === 'wide'
        ? [
            { ...route('admin', slashes), path: '/open/admin/' },
            { ...route('exact', slashes), path: '/open/exact' },
            route('strict'),
          ]
        : []),
      route('aud', { audience: 'app' }),
      route('club', { accept: ['session'] }),
      route('members', { accept: ['token', 'member'] }),
      route('both', { accept: ['token', 'password'] }),
      route('custom', { identity: { custom: { sub: 'X-Account' } } }),
      route('host', { host: 'admin.example' }),
      route('cors', {
        accept: ['anyone'],
        cors: {
          origins: ['https://app.example', 'https://*.pages.example'],
          methods: ['GET', 'PUT'],
          credentials: true,
        },
      }),
      route('limited', { accept: ['anyone'], rate_limit: { by: 'address', rate: '2/h' } }),
      route('counted', { rate_limit: { by: 'subject', rate: '2/h' } }),
    ],
    ...(kind === 'trusting' ? { trusted_proxies: ['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'] } : {}),
    limits: {
      ...patient,
      ...(kind === 'hasty' ? { head_timeout: '1200ms' } : {}),
      ...(kind === 'wide' ? { max_body: '10B' } : {}),
    },
    ...(kind === 'hasty' ? { timeouts: { request_body_idle: '1200ms', upstream_first_byte: '5s' } } : {}),
  };
}

/** Starts one lane. */
export async function openLane(kind: GatewayKind): Promise<Lane> {
  const tap = await TapUpstream.start();
  const certificates = new CertificateFolder();
  const gateway = await startGateway({ users: {}, config: configOf(kind, tap.url, certificates) });
  return {
    kind,
    port: gateway.port,
    tap,
    making: makingOf(gateway),
    connect: async () => {
      if (kind === 'tls') return (await connectTls(gateway.port)).client;
      const client = await RawClient.connect(gateway.port);
      if (kind === 'proxied') client.write(preamble);
      return client;
    },
    close: async () => {
      await gateway.close();
      await tap.close();
      certificates.remove();
    },
  };
}

/** Starts the lanes of these kinds. */
export function openLanes(kinds: ReadonlySet<GatewayKind>): Promise<Lane[]> {
  const wanted = [...kinds].flatMap((kind) => Array.from({ length: lanesOfKind[kind] }, () => kind));
  return Promise.all(wanted.map(openLane));
}

/** Runs every item on some lane of its kind, one at a time per lane. */
export async function spread<Item>(
  lanes: readonly Lane[],
  items: readonly Item[],
  kindOf: (item: Item) => GatewayKind,
  run: (item: Item, lane: Lane) => Promise<void>,
): Promise<void> {
  const queues = new Map<GatewayKind, Item[]>();
  for (const item of items) queues.set(kindOf(item), [...(queues.get(kindOf(item)) ?? []), item]);
  await Promise.all(
    lanes.map(async (lane) => {
      const queue = queues.get(lane.kind) ?? [];
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await run(item, lane);
    }),
  );
}

function makingOf(gateway: TestGateway): Making {
  const encode = (text: string) => Buffer.from(text).toString('base64url');
  return {
    token: (claims, type) => gateway.mint(claims, type),
    forged: (header, claims, secret = gatewaySecret) => {
      const signed = `${encode(header)}.${encode(claims)}`;
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    },
    now: epochSeconds(),
  };
}
