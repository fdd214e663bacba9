// The configuration's shape for what a route changes in requests (request) and answers (response, cors) and whom it slows down (rate_limit),
// and how it becomes part of a RouteConfig. One value at a time; references-policy.ts compares them.

import { z } from 'zod';
import type { CorsRule } from '../../core/decision/policy/cors.ts';
import type { RateLimitRule } from '../../core/decision/policy/rate-limit.ts';
import type { RequestRule } from '../../core/decision/policy/request-policy.ts';
import type { ResponseRule } from '../../core/decision/policy/response-policy.ts';
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
import { durationSeconds, wordOf } from './values.ts';

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

/** The policy of a route as its configuration keeps it. */
export interface PolicyConfig {
  readonly request: RequestRule;
  readonly response: ResponseRule;
  readonly cors: CorsRule | null;
  /** Empty for none. */
  readonly rateLimits: readonly RateLimitRule[];
}

/** @param route  what the schemas above gave */
export function assemblePolicy(route: {
  readonly request: z.output<typeof requestSchema>;
  readonly response: z.output<typeof responseSchema>;
  readonly cors?: z.output<typeof corsSchema>;
  readonly rate_limit?: z.output<typeof rateLimitSchema>;
}): PolicyConfig {
  const { request, response, cors } = route;
  const limits = route.rate_limit ?? [];
  return {
    request: { set: { ...request.set }, remove: request.remove, keep: request.keep },
    response: {
      // a record of the schema has no prototype
      set: { ...response.set },
      remove: response.remove,
      securityHeaders: response.security_headers,
      cache: response.cache,
    },
    cors:
      cors === undefined
        ? null
        : {
            origins: cors.origins,
            methods: cors.methods,
            headers: cors.headers,
            expose: cors.expose,
            credentials: cors.credentials,
            maxAgeSeconds: cors.max_age,
          },
    rateLimits: (Array.isArray(limits) ? limits : [limits]).map((limit) => ({
      by: limit.by,
      count: limit.rate.count,
      perSeconds: limit.rate.perSeconds,
      burst: limit.burst ?? limit.rate.count,
    })),
  };
}
