// The configuration file's shape: snake_case keys, defaults, and what each of them means.
// One value at a time; check/references.ts compares values with each other.
// The JSON Schema that editors use is made from this file.

import { z } from 'zod';
import { acceptKinds } from '../../core/decision/state/credential-kinds.ts';
import { addressHeaderName } from './policy-values.ts';
import { controlSections } from './schema-control.ts';
import { limits, reload, routeLimits, timeout } from './schema-limits.ts';
import { listenerSchema } from './schema-listeners.ts';
import { pathsChoice, routeMethods } from './schema-paths.ts';
import { corsSchema, rateLimitSchema, requestSchema, responseSchema, whoSchema } from './schema-policy.ts';
import { telemetry } from './schema-telemetry.ts';
import { upgradeChoice, webSocketRules } from './schema-upgrade.ts';
import { upstreamSchema } from './schema-upstreams.ts';
import {
  durationMs,
  durationSeconds,
  filePath,
  folderPrefix,
  identifier,
  ipBlock,
  listenAddress,
  routeHost,
  routePath,
  sizeBytes,
  wordOf,
} from './values.ts';

const count = (least: number, most: number) => z.number().int().min(least).max(most);

const timeouts = z.strictObject({
  request_body_idle: timeout
    .optional()
    .meta({ description: 'the client may pause this long inside a body; default 30s' }),
  upstream_connect: timeout.optional().meta({ description: 'default 3s' }),
  upstream_first_byte: timeout.optional().meta({ description: 'default 60s; longer for long polls' }),
  upstream_idle: timeout
    .optional()
    .meta({ description: 'the upstream may pause this long inside an answer; default 60s' }),
  client_write_idle: timeout.optional().meta({ description: 'the client may take nothing for this long; default 60s' }),
  tunnel_idle: timeout.optional().meta({ description: 'nothing passes a WebSocket for this long; default 1h' }),
});

const identityPreset = wordOf('identity preset', ['oauth2-proxy', 'authelia']);

const identityRule = z.strictObject({
  preset: identityPreset.optional().meta({ description: 'names of the headers; default oauth2-proxy' }),
  user: wordOf('choice', ['id', 'email'])
    .optional()
    .meta({ description: 'what the header of the user holds; default id, which stays when an address changes' }),
  custom: z
    .strictObject({
      sub: z.string().optional(),
      email: z.string().optional(),
      groups: z.string().optional(),
      name: z.string().optional(),
      preferred_username: z.string().optional(),
    })
    .optional()
    .meta({ description: 'header name for each claim that the upstream wants, in place of a preset' }),
});

const route = z.strictObject({
  name: identifier('route name'),
  host: routeHost.optional(),
  path: routePath,
  encoded_slash: wordOf('choice', ['refuse', 'keep'])
    .prefault('refuse')
    .meta({ description: 'keep takes paths with %2F in a segment and forwards them so; refuse answers 400' }),
  paths: pathsChoice,
  methods: routeMethods,
  upstream: z.string().meta({ description: 'name of an upstream' }),
  accept: z
    .array(wordOf('kind', acceptKinds))
    .min(1)
    .meta({ description: 'credentials taken; any one of them is enough' }),
  allow: whoSchema.optional(),
  identity: z
    .union([identityPreset, identityRule])
    .prefault('oauth2-proxy')
    .meta({ description: 'names of the headers that tell the upstream who it is' }),
  assertion: z.boolean().prefault(false).meta({ description: 'send a signed assertion in X-Latchkey-Assertion' }),
  audience: z
    .union([z.string().min(1), z.array(z.string().min(1))])
    .prefault([])
    .meta({ description: 'tokens must name one of these in aud; without it tokens that carry aud are refused' }),
  unscoped_tokens: wordOf('choice', ['refuse', 'allow'])
    .prefault('refuse')
    .meta({ description: 'what happens to tokens without paths' }),
  max_token_ttl: durationSeconds('1s', '3650d')
    .prefault('24h')
    .meta({ description: 'longest life a token may have left' }),
  revocation: wordOf('choice', ['checked', 'none'])
    .prefault('checked')
    .meta({ description: 'none: tokens hold until they expire, whatever is revoked' }),
  max_staleness: durationMs('1s', '1d')
    .prefault('10s')
    .meta({ description: 'how old the knowledge of revocations may be before tokens are answered with 503' }),
  forward_authorization: z
    .boolean()
    .prefault(false)
    .meta({ description: 'pass the accepted Authorization on to the upstream' }),
  rewrite_locations: z
    .boolean()
    .prefault(true)
    .meta({ description: 'addresses of the upstream itself, as in Location, become the visitor’s' }),
  upgrade: upgradeChoice,
  websocket: webSocketRules,
  timeouts: timeouts.prefault({}),
  limits: routeLimits.prefault({}),
  request: requestSchema,
  response: responseSchema,
  cors: corsSchema,
  rate_limit: rateLimitSchema,
});

const logTarget = z.string().min(1).prefault('stdout').meta({ description: 'off, stdout, or the path of a file' });

/** The whole file. Read it with `inspect`, which reports every problem and not only the first of a kind. */
export const fileSchema = z
  .strictObject({
    listeners: z.array(listenerSchema).min(1),
    operations: z
      .strictObject({ address: listenAddress.prefault('127.0.0.1:9180') })
      .prefault({})
      .meta({ description: 'health and metrics' }),
    data_dir: filePath.prefault('./data'),
    edges: z
      .union([wordOf('value', ['auto']), count(1, 1024)])
      .prefault('auto')
      .meta({ description: 'processes that serve; auto is one per core' }),
    common_keys: z
      .array(
        z.strictObject({
          id: identifier('key id'),
          secret_file: filePath,
          state: wordOf('state', ['signing', 'verifying', 'retired']),
        }),
      )
      .min(1)
      .optional()
      .meta({ description: 'without it a key is made on the first run and kept in data_dir' }),
    users_file: filePath.optional(),
    upstreams: z.record(identifier('upstream name'), upstreamSchema),
    routes: z.array(route).min(1),
    trusted_proxies: z
      .array(ipBlock)
      .prefault([])
      .meta({ description: 'whose X-Forwarded-* is believed; nobody by default' }),
    client_address_header: addressHeaderName
      .optional()
      .meta({ description: 'header in which a trusted proxy says the client’s address, like CF-Connecting-IP' }),
    via: wordOf('choice', ['off', 'on'])
      .prefault('off')
      .meta({ description: 'on adds Via to requests; many sites send nothing compressed to who says Via' }),
    reserved_prefix: folderPrefix.prefault('/.latchkey/'),
    timeouts: timeouts.prefault({}),
    limits: limits.prefault({}),
    reload,
    tokens: z
      .strictObject({
        parameter: z.string().prefault('token').meta({ description: 'query parameter that may carry a token' }),
        path_prefix: folderPrefix.prefault('/.t/'),
        clock_skew: durationSeconds('0s', '30s').prefault('5s'),
        pass_ttl: durationSeconds('1s', '1d')
          .prefault('1h')
          .meta({ description: 'life of a pass issued for credentials or for membership' }),
        issuer: z.string().min(1).max(256).prefault('latchkey'),
      })
      .prefault({}),
    logs: z
      .strictObject({
        level: wordOf('level', ['debug', 'info', 'warn', 'error']).prefault('info'),
        access: logTarget,
        decisions: logTarget,
        format: wordOf('format', ['json', 'combined'])
          .prefault('json')
          .meta({ description: 'of access lines; combined is the format of Apache and nginx, which has no reasons' }),
        refusals: wordOf('choice', ['once', 'twice']).prefault('once').meta({
          description:
            'where both logs go to one place, a refusal is one access line with its reason; twice: a decision line too',
        }),
      })
      .prefault({}),
    telemetry,
    decision_cache: z
      .strictObject({
        entries: count(0, 16_777_216).prefault(65_536).meta({ description: 'per edge; 0 switches the cache off' }),
        bytes: sizeBytes('64GiB').prefault('64MiB'),
      })
      .prefault({}),
    password_checks_per_second: count(1, 100_000).prefault(20),
    explain: wordOf('choice', ['off', 'on', 'all'])
      .prefault('on')
      .meta({ description: 'which decisions are recorded for latchkey explain, for a day' }),
    ...controlSections,
  })
  .meta({ title: 'latchkey configuration' });

/** A file that passed the schema, defaults filled in, nothing compared with anything else yet. */
export type ConfigFile = z.output<typeof fileSchema>;

/** The JSON Schema of the file as people write it, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-2020-12' });
}
