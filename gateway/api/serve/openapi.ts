// Makes the OpenAPI document of `v1` from the endpoints themselves, so the document lists exactly the endpoints and shapes that are served.
// The schemas come straight from zod, whose JSON Schema draft (2020-12) is that of OpenAPI 3.1; a plugin would need every shape twice.

import { z } from 'zod';
import { problemMediaType } from '../../http1/problem-json.ts';
import type { Endpoint } from './endpoint.ts';

/** An OpenAPI 3.1 document as plain JSON. */
type OpenApiDocument = Readonly<Record<string, unknown>>;

/** Problem details (RFC 9457) with latchkey's extension member `reason`. */
const problemShape = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  reason: z.string().optional().meta({ description: 'a word for programs that does not change' }),
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
      description: 'Accounts, sessions, devices, links and common keys. Taken with the portal’s session cookie only.',
    },
    servers: [{ url: `${publicUrl ?? ''}${prefix}v1` }],
    security: [{ session: [] }],
    paths,
    components: {
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: '__Host-latchkey' } },
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
    parameters: [...parameters(shapes.params, 'path'), ...parameters(shapes.query, 'query')],
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
    schema,
  }));
}

function schemaOf(shape: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(shape, { io, unrepresentable: 'any' });
  return schema;
}
