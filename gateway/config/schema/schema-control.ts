// The shape of those sections of the configuration file that are for the control plane.
// One value at a time; check/references-control.ts compares them.

import { z } from 'zod';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { collectionMethods } from './schema-paths.ts';
import { sharingSchema } from './schema-sharing.ts';
import { accessSpan, filePath, folderPath, hostName, identifier, mailAddress, routeHost, wordOf } from './values.ts';

const parameterName = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,64}$/, 'is not a parameter name (letters, digits, ".", "_", "~" and "-")');

const domainName = hostName.meta({ description: 'like example.org' });

/** `http://host:port` or `https://host`, without a path. */
const publicUrl = z
  .string()
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
    if (url !== null && isWeb && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '')
      return { publicUrl: url.origin, host: canonicalHost(url.host) ?? url.hostname };
    const message = `${JSON.stringify(text)} is not the URL of a host (write https://portal.example.org, without a path)`;
    context.issues.push({ code: 'custom', message, input: text });
    return z.NEVER;
  })
  .meta({ description: 'the one host that serves latchkey’s pages, like https://portal.example.org' });

const storeUrl = z.string().transform((text, context) => {
  if (text === 'sqlite') return { kind: 'sqlite' as const };
  if (/^postgres(ql)?:\/\/./.test(text) && URL.canParse(text)) return { kind: 'postgres' as const, url: text };
  const message = `is neither sqlite nor the URL of a PostgreSQL (write postgres://user:password@host/database)`;
  // the value may hold a password: it is not repeated
  context.issues.push({ code: 'custom', message, input: '' });
  return z.NEVER;
});

function urlOf(schemes: readonly string[]) {
  return z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    error: `is not a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });
}

/** Top-level members of the file; `schema.ts` spreads them in. */
export const controlSections = {
  store: storeUrl.prefault('sqlite').meta({
    description: 'sqlite (a file in data_dir) or postgres://user:password@host/database, for several nodes',
  }),
  master_key_file: filePath.optional().meta({
    description: '32 bytes that seal secrets in the store; default: master.key in data_dir, made when missing',
  }),
  portal: z
    .strictObject({
      public_url: publicUrl,
      name: z
        .string()
        .min(1)
        .max(60)
        .prefault('latchkey')
        .meta({ description: 'what pages and mails call this place' }),
      contact: mailAddress
        .optional()
        .meta({ description: 'address of whoever helps people, shown where somebody is refused' }),
      logo_file: filePath.optional().meta({ description: 'SVG or PNG shown on pages' }),
      hosts: z
        .array(routeHost)
        .max(1000)
        .prefault([])
        .meta({ description: 'hosts of routes with a wildcard, or without a host, where people may be signed in' }),
    })
    .optional(),
  accounts: z
    .strictObject({
      registration: wordOf('choice', ['invited', 'by_link', 'open']).prefault('by_link').meta({
        description: 'who may have an account: invited people, also whoever opens a good link, or everybody',
      }),
      domains: z
        .array(domainName)
        .prefault([])
        .meta({ description: 'beside invitations: only addresses of these domains' }),
      limits: z
        .strictObject({
          mails_per_hour: z.number().int().min(1).max(1_000_000).prefault(500).meta({
            description: 'mails that people who are not signed in can cause, in all; half of them by registering',
          }),
          requests_per_network: z.number().int().min(1).max(1_000_000).prefault(100).meta({
            description:
              'registrations an hour from one IPv4 /24 or IPv6 /48; as many requests for a new password, and for codes to sign in',
          }),
          unverified_accounts: z.number().int().min(1).max(10_000_000).prefault(10_000).meta({
            description: 'accounts whose address nobody confirmed yet, in all',
          }),
        })
        .prefault({}),
    })
    .prefault({}),
  mail: z
    .strictObject({
      from: z.string().min(3).max(320).meta({ description: 'sender, like "latchkey <keys@example.org>"' }),
      smtp: urlOf(['smtp:', 'smtps:'])
        .optional()
        .meta({ description: 'mail server, like smtp://user:password@mail:587' }),
      webhook: urlOf(['http:', 'https:']).optional().meta({ description: 'each message is posted there, signed' }),
      webhook_secret_file: filePath.optional().meta({ description: 'key of the signature, at least 32 bytes' }),
      log: filePath
        .optional()
        .meta({ description: 'file that messages are written to instead, for trying things out' }),
    })
    .optional(),
  collections: z
    .array(
      z.strictObject({
        name: identifier('collection name'),
        title: z
          .string()
          .min(1)
          .max(120)
          .optional()
          .meta({ description: 'what people read as its name; default: the name' }),
        picture_file: filePath
          .optional()
          .meta({ description: 'PNG, JPEG, WebP or SVG shown beside it, at most 1 MiB' }),
        host: hostName,
        path: folderPath,
        owners: z.array(mailAddress).prefault([]).meta({
          description:
            'addresses of the accounts that may make links; without it the operator, administrators and keys',
        }),
        methods: collectionMethods,
        default_access: accessSpan.optional().meta({
          description: 'how long a new link to it gives access when nobody says; default: links.default_access',
        }),
      }),
    )
    .prefault([])
    .meta({ description: 'folders that people may hand out links to' }),
  links: z
    .strictObject({
      key_parameter: parameterName.prefault('key').meta({ description: 'query parameter that names the link key' }),
      token_parameter: parameterName
        .prefault('authtoken')
        .meta({ description: 'query parameter that carries a link’s token' }),
      default_access: accessSpan.prefault('none').meta({
        description: 'how long a new link gives access when nobody says, like 90d; none: until somebody ends it',
      }),
    })
    .prefault({}),
  sharing: sharingSchema,
};
