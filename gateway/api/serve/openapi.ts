// Makes the OpenAPI document of `v1` from the endpoints themselves, so the document lists exactly the endpoints and shapes that are served.
// The schemas come straight from zod, whose JSON Schema draft (2020-12) is that of OpenAPI 3.1; a plugin would need every shape twice.

import { z } from 'zod';
import { problemMediaType } from '../../http1/problem-json.ts';
import { sessionCookieNames } from './cookies.ts';
import { formTokenHeader } from './cross-site.ts';
import type { Endpoint } from './endpoint.ts';
import { memberTexts } from './member-texts.ts';
import { refusalReasons } from './refusal-reasons.ts';

/** An OpenAPI 3.1 document as plain JSON. */
type OpenApiDocument = Readonly<Record<string, unknown>>;

/** Problem details (RFC 9457) with latchkey's extension member `reason`. */
const problemShape = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  reason: z.enum(refusalReasons).optional(),
});

/**
 * Describes the endpoints.
 *
 * @param publicUrl  origin of the portal, or null when there is none
 * @param prefix     the reserved prefix, `/.latchkey/` by default
 * @param version    of the API, for `info.version`
 */
export function describeApi(
  endpoints: readonly Endpoint[],
  publicUrl: string | null,
  prefix: string,
  version: string,
): OpenApiDocument {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    const path = `/${endpoint.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] ??= {};
    Object.assign(paths[path], { [endpoint.method.toLowerCase()]: describeOperation(endpoint) });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'latchkey',
      version,
      description: describeCallers(publicUrl),
    },
    servers: [{ url: `${publicUrl ?? ''}${prefix}v1` }],
    security: [{ session: [] }],
    paths,
    components: {
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: sessionCookieName(publicUrl),
          description: 'The portal’s session cookie. `POST /sign-in` sets it; scripts keep it in a cookie jar.',
        },
      },
      parameters: { Origin: originParameter(publicUrl), FormToken: formTokenParameter },
      schemas: { Problem: schemaOf(problemShape, 'output') },
    },
  };
}

function describeOperation({ method, path, summary, who, shapes }: Endpoint): Record<string, unknown> {
  const name = path.replace(/:(\w+)/g, 'by-$1').replaceAll('/', '-');
  const body =
    shapes.response === null ? null : { 'application/json': { schema: schemaOf(shapes.response, 'output') } };
  return {
    operationId: `${method.toLowerCase()}-${name}`,
    summary,
    tags: [path.split('/')[0]],
    ...(who === 'anyone' ? { security: [] } : {}),
    parameters: [
      ...parameters(shapes.params, 'path'),
      ...parameters(shapes.query, 'query'),
      ...(method === 'GET' ? [] : proofs(who)),
    ],
    ...(shapes.body === null
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(shapes.body, 'input') } } },
        }),
    responses: {
      ...(body === null ? { 204: { description: 'done' } } : { '2XX': { description: 'done', content: body } }),
      '4XX': {
        description: who === 'admin' ? 'refused; administrators only' : 'refused',
        content: { [problemMediaType]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  required: z.array(z.string()).default([]),
});

function parameters(shape: z.ZodType | null, place: 'path' | 'query'): unknown[] {
  if (shape === null) return [];
  const { properties, required } = objectSchema.parse(schemaOf(shape, 'input'));
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof schema.description === 'string' ? { description: schema.description } : {}),
    schema,
  }));
}

/** What a request that changes something may prove its origin with. Before sign-in there is no form token, so only `Origin` will do. */
function proofs(who: Endpoint['who']): unknown[] {
  const names = who === 'anyone' ? ['Origin'] : ['Origin', 'FormToken'];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function originParameter(publicUrl: string | null): unknown {
  return {
    name: 'Origin',
    in: 'header',
    required: false,
    description:
      'The portal’s origin, which proves that no other site sent the request. Browsers send it, or Sec-Fetch-Site, themselves; a script writes it.',
    schema: { type: 'string', ...(publicUrl === null ? {} : { const: publicUrl }) },
  };
}

const formTokenParameter = {
  name: 'X-CSRF-Token',
  in: 'header',
  required: false,
  description:
    '`csrf_token` of `GET /me`, for callers that cannot send Origin. Good for 12 hours and for its session only.',
  schema: { type: 'string' },
};

function sessionCookieName(publicUrl: string | null): string {
  return sessionCookieNames[publicUrl?.startsWith('http:') === true ? 'plain' : 'secure'];
}

function describeCallers(publicUrl: string | null): string {
  return [
    'Accounts, sessions, browsers, links and common keys.',
    `A caller is a person who is signed in: the cookie ${sessionCookieName(publicUrl)} on the portal’s host, and no other credential.`,
    'A request that changes something has to prove that no other site sent it: with Sec-Fetch-Site: same-origin, as browsers do, with Origin,' +
      ` or with ${formTokenHeader}. One of them is enough; without any it is a 403 with the reason cross-site.`,
    'Moments are epoch seconds; where one is taken, an RFC 3339 text with its offset will do as well.',
    'Refusals are problem+json (RFC 9457). A method that a path does not have is a 405 with Allow. What belongs to somebody else is a 404.',
  ].join('\n\n');
}

function schemaOf(shape: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(shape, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => describeMembers(jsonSchema),
  });
  return schema;
}

/**
 * Gives each member of an object that has no description the text of its name. A `date-time` keeps its format alone: zod's pattern for it has
 * 500 characters and says the same.
 */
function describeMembers(schema: z.core.JSONSchema.BaseSchema): void {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const text = memberTexts[name];
    if (typeof member === 'object' && member.description === undefined && text !== undefined) member.description = text;
  }
  if (schema.format === 'date-time') delete schema.pattern;
}
