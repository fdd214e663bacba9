// The configuration's shape for what a route changes in requests (request) and answers (response, cors) and whom it slows down
// (rate_limit). One value at a time; check/references-policy.ts compares them.

import { z } from 'zod';
import { normaliseGroups } from '../../core/model/account.ts';
import {
  corsHeaderName,
  corsMethod,
  corsOrigin,
  headerTemplate,
  headerValue,
  keptHeaderName,
  rate,
  removedHeaderName,
  responseHeaderName,
  setHeaderName,
} from './policy-values.ts';
import { durationSeconds, mailAddress, read, routeHost, wordOf, wrong } from './values.ts';

const groupName = read('the name of a group', undefined, (text) => {
  const [group] = normaliseGroups([text]) ?? [];
  return group === undefined
    ? wrong(`${JSON.stringify(text)} is not the name of a group`, 'write it as accounts have it, without a comma')
    : { kind: 'read', value: group };
});

/** `routes[].allow`. */
export const whoSchema = z
  .strictObject({
    groups: z.array(groupName).prefault([]).meta({ description: 'groups of accounts, or of tokens that say groups' }),
    accounts: z.array(mailAddress).prefault([]).meta({ description: 'mail addresses' }),
    domains: z
      .array(routeHost)
      .prefault([])
      .meta({ description: 'domains of mail addresses: example.org, or *.example.org for those below it' }),
  })
  .meta({ description: 'whom the route lets in, of those who have what accept takes: any one match is enough' });

/** `routes[].request`. */
export const requestSchema = z
  .strictObject({
    set: z.record(setHeaderName, headerTemplate).prefault({}).meta({
      description:
        'headers that the upstream gets, in place of the client’s: text with {host}, {scheme}, {client_address}, {request_id}, {route}, {sub}, {email}, {name}, {groups} or {preferred_username}',
    }),
    remove: z.array(removedHeaderName).prefault([]).meta({ description: 'headers of clients that no upstream gets' }),
    keep: z.array(keptHeaderName).prefault([]).meta({
      description:
        'names of other gateways and CDNs, like CF-Connecting-IP, that trusted proxies may say to the upstream',
    }),
  })
  .prefault({});

/** `routes[].response`. */
export const responseSchema = z
  .strictObject({
    set: z
      .record(responseHeaderName, headerValue)
      .prefault({})
      .meta({ description: 'headers that every forwarded answer gets, in place of the upstream’s own' }),
    remove: z
      .array(responseHeaderName)
      .prefault([])
      .meta({ description: 'headers of the upstream that no answer carries' }),
    security_headers: wordOf('preset', ['off', 'basic', 'strict'])
      .prefault('off')
      .meta({ description: 'a set of security headers' }),
    cache: wordOf('choice', ['private', 'shared']).prefault('private').meta({
      description: 'private keeps what a credential opened out of shared caches; shared leaves caching to the upstream',
    }),
  })
  .prefault({});

/** `routes[].cors`. */
export const corsSchema = z
  .strictObject({
    origins: z
      .array(corsOrigin)
      .min(1)
      .meta({ description: 'origins whose scripts may read answers; https://*.example.org, or *' }),
    methods: z.array(corsMethod).min(1).prefault(['GET', 'HEAD']),
    headers: z.array(corsHeaderName).prefault([]).meta({ description: 'request headers that scripts may send' }),
    expose: z.array(corsHeaderName).prefault([]).meta({ description: 'response headers that scripts may read' }),
    credentials: z.boolean().prefault(false).meta({ description: 'scripts may send cookies' }),
    max_age: durationSeconds('0s', '1d')
      .prefault('10m')
      .meta({ description: 'how long browsers remember a preflight' }),
  })
  .optional();

const rateLimit = z.strictObject({
  by: wordOf('key', ['address', 'subject', 'token']),
  rate: rate,
  burst: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .optional()
    .meta({ description: 'requests that may come at once; default is the number in rate' }),
});

/** `routes[].rate_limit`: one, or a list that has to hold as a whole. */
export const rateLimitSchema = z
  .union([rateLimit, z.array(rateLimit).min(1).max(4)])
  .optional()
  .meta({ description: 'how often one address, subject or token may ask; one limit or a list' });
